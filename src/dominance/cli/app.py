"""The command line: registers the commands, and turns errors into one line and an exit status."""

import os
import sys
from typing import Annotated

import typer

from dominance.cli import (
    ablate,
    audit,
    bench,
    diversity,
    explain,
    judge,
    listing,
    memorization,
    preflight,
    report,
    score,
    train,
)
from dominance.cli.interrupts import insistent_interrupts
from dominance.cli.process import prepare_process
from dominance.cli.statuses import EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED
from dominance.errors import DominanceError

_LONGEST_LINE = 1000
"""Characters of an error; a longer one, from a list or a name without end, loses its middle."""

app = typer.Typer(
    name="dominance",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds out which concepts of a text-to-image prompt vanish, and which take over.",
    epilog='\b\nExample:\n  dominance audit "a [tower:landmark] and a [mug]" --seeds 4',
)
app.command("audit", epilog=audit.EXAMPLE)(audit.command)
app.command("score", epilog=score.EXAMPLE)(score.command)
app.command("preflight", epilog=preflight.EXAMPLE)(preflight.command)
app.command("explain", epilog=explain.EXAMPLE)(explain.command)
app.command("ablate", epilog=ablate.EXAMPLE)(ablate.command)
app.command("diversity", epilog=diversity.EXAMPLE)(diversity.command)
app.command("memorization", epilog=memorization.EXAMPLE)(memorization.command)
app.command("report", epilog=report.EXAMPLE)(report.command)
app.command("list", epilog=listing.EXAMPLE)(listing.command)
app.add_typer(bench.app, name="bench")
app.add_typer(judge.app, name="judge")
app.add_typer(train.app, name="train")


def _print_version(wanted: bool) -> None:
    if wanted:
        from dominance import __version__

        typer.echo(f"dominance {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Finds out which concepts of a text-to-image prompt vanish, and which take over."""


def main() -> None:
    """Runs the command line; every error that a user can cause ends in one line on standard error."""
    prepare_process()
    try:
        with insistent_interrupts():
            status = app(standalone_mode=False)
            sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        _say("stopped")
        sys.exit(EXIT_INTERRUPTED)
    except DominanceError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_INPUT)
    except typer.TyperException as error:
        message = _usage_message(error)
        if message.startswith("Usage:"):  # called without arguments: the help, as it is
            sys.stderr.write(f"{error.format_message()}\n")
        else:
            _say(f"error: {message}")
        sys.exit(EXIT_INPUT)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _say(f"error: the system refused: {error}; free space or mend the permissions, and run the command again")
        _drop_output()
        sys.exit(EXIT_INPUT)
    except Exception as error:
        if "DOMINANCE_TRACEBACK" in os.environ:
            raise
        _say(f"internal error: {type(error).__name__}: {error}; set DOMINANCE_TRACEBACK=1 to see where, and report it")
        sys.exit(EXIT_INTERNAL)
    except SystemExit:  # typer's way out of a closed pipe, with the status that means a failed gate here
        sys.exit(EXIT_INPUT)
    sys.exit(status if isinstance(status, int) else 0)


def _drop_output() -> None:
    """Lets go of what standard output did not take, so that the interpreter does not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_message(error: typer.TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context is not None else "; see dominance --help"
    return " ".join(message.split()).rstrip(".") + hint


def _say(line: str) -> None:
    """The message as one line; what would steer the terminal, from an endpoint's reply perhaps, is escaped."""
    from dominance.wording import on_one_line

    sys.stderr.write(f"{on_one_line(' '.join(line.split()), _LONGEST_LINE)}\n")


if __name__ == "__main__":
    main()
