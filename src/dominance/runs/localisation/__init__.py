"""Which layers of a model show where concepts lie."""
