"""Judges: an image and questions in, answers out."""
