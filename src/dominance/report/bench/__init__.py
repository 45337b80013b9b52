"""A bench: its data card, its contact sheet, and its prompts in other formats."""
