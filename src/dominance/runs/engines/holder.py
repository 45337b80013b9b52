"""What a worker does, wherever it runs: it holds what was loaded, and does batches with it."""

import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dominance.errors import DominanceError, ModelError
from dominance.runs.engines.packing import unpacked
from dominance.runs.engines.work import Do, Done, Forget, Held, Hold, Message, Raised, Reply
from dominance.wording import complaint


class Holder:
    """Answers messages; whatever goes wrong becomes a reply."""

    def __init__(self) -> None:
        self._held: dict[str, Callable[[Any], Any]] = {}

    def answer(self, message: Message, place: Callable[[str], Path] = Path) -> Reply | None:
        """The reply, or None where none is due.

        Args:
            place: gives the path here of a path of the sender's.
        """
        try:
            return self._answer(message, place)
        except DominanceError as error:
            return Raised(sent_back(error))
        except Exception:  # a fault of ours: the run ends with all there is to know about it
            return Raised(RuntimeError(f"in a worker: {traceback.format_exc()}"))

    def _answer(self, message: Message, place: Callable[[str], Path]) -> Reply | None:
        match message:
            case Hold(sent):
                if sent.key not in self._held:
                    self._held[sent.key] = _loaded(sent.content, place)()
                return Held(sent.key)
            case Do(key, task):
                return Done(self._held[key](task))
            case Forget():
                self._held.clear()
                if "torch" in sys.modules:
                    from dominance.models.memory import release_memory

                    release_memory()
                return None


def _loaded(content: bytes, place: Callable[[str], Path]) -> Any:
    """Raises a ModelError for what only the sender's process knows, such as a class of its main script."""
    try:
        return unpacked(content, place)
    except Exception as error:  # whatever an object's own way to be unpickled raises
        raise ModelError(
            f"a worker cannot read what it was sent ({complaint(error)}); define your own classes in a module that can"
            " be imported there, or leave out workers and engine"
        ) from None


def sent_back(error: DominanceError) -> Exception:
    """The error, or its words where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own process
    except Exception:
        return ModelError(str(error))
    return error
