"""A measurement of diversity: its page and its table."""
