"""What people open at the end of a run: a page for each command, and the files beside it."""
