"""A check of a judge: its page and its plot."""
