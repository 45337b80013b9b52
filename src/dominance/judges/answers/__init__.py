"""Judges that have already answered, in a file."""
