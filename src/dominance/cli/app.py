"""The command line: registers the commands, and turns errors into one line and an exit status."""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError

from dominance.cli.config import options_from_file
from dominance.cli.flowing import Flowing
from dominance.cli.interrupts import insistent_interrupts, stop_message
from dominance.cli.process import prepare_process
from dominance.cli.statuses import EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED
from dominance.errors import DominanceError
from dominance.progress import said_if_slow
from dominance.wording import on_one_line

_LONGEST_LINE = 1000
"""Characters of an error; a longer one, from a list or a name without end, loses its middle."""
_EXAMPLE = (
    "Example:\n"
    '  dominance audit "a [tower:landmark] and a [mug]" --seeds 4\n\n'
    "Exit status of every command: 0 done, 1 the gate fails, 2 bad input, 3 done in part, 130 stopped by Ctrl-C.\n"
)

COMMANDS: dict[str, str] = {
    "audit": "Find the prompts that lose a concept.",
    "score": "Judge and score images that were made elsewhere.",
    "preflight": "Predict from part of the first denoising step whether a prompt will lose a concept.",
    "calibrate": "Fit the rule of preflight on an audited run.",
    "explain": "Show what the model attends to while it draws a prompt.",
    "ablate": "Remove parts of the model while it draws, and see which restore a lost concept.",
    "localise": "Find the attention layers that show where each word's object lies.",
    "mitigate": "Draw prompts plain and repaired, and compare them pair by pair.",
    "generate": "Draw images in which every concept survives, for the least computation.",
    "sweep": "Find the strength, start step or checkpoint at which an adapter leaves room for the prompt.",
    "diversity": "Measure how varied each concept's images are, before fine-tuning on them.",
    "memorization": "Measure how strongly each prompt moves the predicted noise, by group.",
    "reproduce": "Test the papers' claims on a model, their figures beside ours.",
    "report": "Write the pages of any folder of results again.",
    "serve": "Serve a web page and an HTTP API to request runs, view them and score images.",
    "list": "List the models, judges, suites, methods and other names that commands accept.",
}
"""Commands and what they do, so that listing them loads no command; each module says more."""
GROUPS: dict[str, str] = {
    "bench": "Build a DominanceBench for any model, export it, and compare models on it.",
    "judge": "Find out whether a judge can be trusted.",
    "suite": "Make a suite for a campaign, or check how a suite is read.",
    "train": "Teach a model a concept; train the miniature world's model and judge.",
}


def new_app(name: str, help: str = "", **more: Any) -> App:
    """An app of ours: the command line itself, or a command or group of it.

    Args:
        help: of a group; a command's is the docstring of its function.
    """
    return App(
        name=name,
        help=help or None,
        help_format="plaintext",
        help_formatter=Flowing(),
        help_flags=["--help", "-h"],
        version_flags=[],
        # Of what is given twice, the last counts. That a flag is off by default goes without saying.
        default_parameter=Parameter(negative=(), allow_repeating=True, show_default=_shown_default),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        **more,
    )


def _shown_default(value: object) -> str | None:
    if value is None or value is False or value == "":
        return None
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def make_app(given: str | None = None) -> App:
    """The whole command line; a command's module is loaded when the command is given.

    Args:
        given: the command whose own help may be asked for: all of its docstring, not the line of the list.
    """
    app = new_app(
        "dominance",
        "Finds out which concepts of a text-to-image prompt vanish, and which take over.",
        help_epilogue=_EXAMPLE,
        config=[options_from_file],
    )
    for name, what in COMMANDS.items():
        app.command(f"dominance.cli.{_module(name)}:app", name=name, help=None if name == given else what)
    if given in COMMANDS:  # an earlier list in this process has left its line there
        import_module(f"dominance.cli.{_module(given)}").app.help = None
    for name, what in GROUPS.items():
        app.command(f"dominance.cli.{name}:app", name=name, help=what)
    return app


def _module(name: str) -> str:
    return "listing" if name == "list" else name


def main() -> None:
    """Runs the command line; every user error ends in one line on standard error."""
    prepare_process()
    try:
        with insistent_interrupts():
            status = run(sys.argv[1:])
            sys.stdout.flush()
    except KeyboardInterrupt as stopped:
        _say(stop_message(stopped))
        sys.exit(EXIT_INTERRUPTED)
    except DominanceError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_INPUT)
    except CycloptsError as error:
        own = error.__cause__  # a refusal by one of our own readers, complete as it is
        _say(f"error: {own if isinstance(own, DominanceError) else _usage_message(error)}")
        sys.exit(EXIT_INPUT)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _say(f"error: the system refused: {error}; free space or fix the permissions, and run the command again")
        _drop_output()
        sys.exit(EXIT_INPUT)
    except Exception as error:
        if "DOMINANCE_TRACEBACK" in os.environ:
            raise
        _say(f"internal error: {type(error).__name__}: {error}; set DOMINANCE_TRACEBACK=1 to see where, and report it")
        sys.exit(EXIT_INTERNAL)
    sys.exit(status)


def run(tokens: list[str]) -> int:
    """Runs one command and gives its exit status.

    Raises:
        CycloptsError: the command line is invalid.
        DominanceError, KeyboardInterrupt: see the commands.
    """
    app = make_app(next(iter(tokens), None))
    if not tokens or tokens in [[group] for group in GROUPS]:  # no command given
        with _on_stderr():
            app.help_print(tokens)
        return EXIT_INPUT
    if tokens == ["--version"]:
        from dominance.cli.version import version_lines

        sys.stdout.write("".join(f"{line}\n" for line in version_lines()))
        return 0
    command, bound, _ = app.parse_args(tokens)
    if getattr(bound.arguments.get("output"), "print_config", False):
        sys.stdout.write(_config(" ".join(app.parse_commands(tokens)[0]), command, bound.arguments))
        return 0
    helps = not {"--help", "-h"}.isdisjoint(tokens)
    with contextlib.nullcontext() if helps else said_if_slow(f"starting {' '.join(app.parse_commands(tokens)[0])}"):
        status = command(*bound.args, **bound.kwargs)
    return status if isinstance(status, int) else 0


def _config(name: str, command: Callable[..., object], given: Mapping[str, Any]) -> str:
    """What ``--print-config`` prints."""
    import inspect

    from dominance.runs.store.repeat import Repeat

    filled = {n: given.get(n, p.default) for n, p in inspect.signature(command).parameters.items()}
    options, output = filled.pop("options", None), filled.pop("output")
    return Repeat(name, {"out": getattr(output, "out", None), **filled}, options).text()


def _on_stderr() -> Any:
    return contextlib.redirect_stdout(sys.stderr)


def _drop_output() -> None:
    """Drops what standard output did not take, so that the interpreter does not try again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_message(error: CycloptsError) -> str:
    chain = " ".join(("dominance", *(error.command_chain or ())))
    return f"{' '.join(str(error).split()).rstrip('.')}; see {chain} --help"


def _say(line: str) -> None:
    """The message as one line, with control characters escaped, as an endpoint's reply may hold some."""
    sys.stderr.write(f"{on_one_line(' '.join(line.split()), _LONGEST_LINE)}\n")


if __name__ == "__main__":
    main()
