"""Steering while a pipeline samples."""
