"""The customer desk: what she says, what we hold about her, and forgetting her. It alone turns her words into facts."""
