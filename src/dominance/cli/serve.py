"""``dominance serve``."""

from dominance.cli.app import new_app
from dominance.cli.output import note
from dominance.cli.statuses import EXIT_DONE
from dominance.errors import InputError
from dominance.serve.options import ServeOptions

app = new_app(
    "serve",
    help_epilogue="Examples:\n"
    "  dominance serve\n"
    "  DOMINANCE_SERVE_TOKEN=$(openssl rand -hex 24) dominance serve --host 0.0.0.0 --allow-host gpu.example.com\n",
)
_INSTALL = "pip install 'dominance[serve]'"


@app.default
def command(*, options: ServeOptions = ServeOptions()) -> int:
    """Serve a web page and an HTTP API to request runs, view them, score images and label them.

    Jobs wait in one queue and run one after the other, each as the command itself; a job that was running when the
    service ended goes on when it starts again. Ctrl-C ends it. Exit status: 2 bad input, 130 stopped.
    """
    try:
        from dominance.serve.listening import listen
    except ImportError as error:
        raise InputError(f"the service needs {error.name}, which is not installed; {_INSTALL}") from None

    listen(options, lambda url: note(f"serving {options.folder} at {url}; Ctrl-C ends it, and jobs go on next time"))
    return EXIT_DONE
