"""``python -m dominance``."""

from dominance.cli.app import main

main()
