"""A lesson: its page and its document."""
