"""The template of the page that `reproduce` writes."""
