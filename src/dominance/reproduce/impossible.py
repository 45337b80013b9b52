"""What cannot be examined here, told from what stops a run."""

from collections.abc import Generator
from contextlib import contextmanager

from dominance.errors import InputError, RunError


class ImpossibleError(Exception):
    """A claim that cannot be examined here, and why."""


@contextmanager
def asked_of_model() -> Generator[None]:
    """What the model does not let be recorded is not possible here; a folder that cannot be used still stops the run.

    Only where no judge is asked and nothing is loaded: a judge that stops answering is no finding about a claim.

    Raises:
        ImpossibleError: in the place of an InputError, which a ModelError is too.
    """
    try:
        yield
    except RunError:
        raise
    except InputError as error:
        raise ImpossibleError(str(error)) from error
