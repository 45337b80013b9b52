"""A measurement of the noise norm: its page, its table and its plot."""
