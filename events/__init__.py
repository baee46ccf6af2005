"""The language of the chain: envelope, vocabulary, subjects and the log. Imports nothing of ours."""
