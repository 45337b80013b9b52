"""The command line: registers the commands, and turns errors into one line and an exit status."""

import os
import sys
from typing import Annotated

import typer

from dominance.cli import audit, listing, report, score, train
from dominance.cli.statuses import EXIT_INPUT, EXIT_INTERRUPTED
from dominance.errors import DominanceError

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
app.command("report", epilog=report.EXAMPLE)(report.command)
app.command("list", epilog=listing.EXAMPLE)(listing.command)
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


def _quieten_libraries() -> None:
    """Keeps the libraries' own notes and bars off the terminal; a user's settings win."""
    quiet = {
        "TRANSFORMERS_VERBOSITY": "error",
        "DIFFUSERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)


def main() -> None:
    """Runs the command line; every error that a user can cause ends in one line on standard error."""
    _quieten_libraries()
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        _say("stopped")
        sys.exit(EXIT_INTERRUPTED)
    except DominanceError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_INPUT)
    except typer.TyperException as error:
        message = _usage_message(error)
        if message.startswith("Usage:"):  # called without arguments: the help, as it is
            print(error.format_message(), file=sys.stderr)  # noqa: T201
        else:
            _say(f"error: {message}")
        sys.exit(EXIT_INPUT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_INPUT)
    sys.exit(status if isinstance(status, int) else 0)


def _usage_message(error: typer.TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context is not None else "; see dominance --help"
    return " ".join(message.split()).rstrip(".") + hint


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
