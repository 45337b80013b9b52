"""A fine-tuning: its page and its document."""
