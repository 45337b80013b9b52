"""What `reproduce` writes: page, Markdown and JSON."""
