"""Text-to-image models behind one thin face."""
