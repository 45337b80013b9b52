"""A mitigation: its page and its plot."""
