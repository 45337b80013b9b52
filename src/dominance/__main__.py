"""The command ``dominance``, also as ``python -m dominance``: Ctrl-C is taken care of before anything is imported."""

import sys


def main() -> None:
    """Runs the command line."""
    try:
        from dominance.cli.interrupts import insistent_interrupts

        with insistent_interrupts():
            from dominance.cli.app import main as run
        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing was started\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
