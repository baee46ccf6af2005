"""The stories, played through the real services."""
