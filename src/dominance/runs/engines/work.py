"""What passes between a command and its workers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from dominance.errors import ModelError
from dominance.runs.engines.packing import packed
from dominance.wording import complaint


class Work(Protocol):
    """Sent to a worker once: called, it loads what it needs, and gives what does one batch after the other."""

    def __call__(self) -> Callable[[Any], Any]: ...


@dataclass(frozen=True)
class Sent:
    """Work as it is sent.

    Attributes:
        key: the same for work that is the same, so that a worker loads nothing twice.
    """

    content: bytes = field(repr=False)
    key: str

    @classmethod
    def of(cls, work: Work) -> "Sent":
        """Raises a ModelError for work that cannot be sent."""
        content = sendable(work, "what is to be done")
        return cls(content, sha256(content).hexdigest())


def sendable(what: object, named: str) -> bytes:
    """It as bytes, as ``packed`` has it.

    Raises:
        ModelError: it cannot be pickled.
    """
    try:
        return packed(what)
    except Exception as error:  # whatever an object's own way to be pickled raises
        raise ModelError(
            f"{named} cannot be sent to another process ({complaint(error)}); give it by name, or leave out workers and"
            " engine"
        ) from None


@dataclass(frozen=True)
class Hold:
    """To a worker: load this."""

    sent: Sent


@dataclass(frozen=True)
class Do:
    """To a worker: do this batch of what was loaded under the key."""

    key: str
    task: object


@dataclass(frozen=True)
class Forget:
    """To a worker: let go of all that was loaded."""


@dataclass(frozen=True)
class Held:
    """From a worker: it is loaded."""

    key: str


@dataclass(frozen=True)
class Done:
    """From a worker: what came of a batch."""

    outcome: Any


@dataclass(frozen=True)
class Raised:
    """From a worker: what is wrong for every batch."""

    error: Exception


@dataclass(frozen=True)
class Ended:
    """There is no such worker any more.

    Attributes:
        how: as in "was killed by SIGKILL".
    """

    how: str


Message = Hold | Do | Forget
Reply = Held | Done | Raised | Ended
