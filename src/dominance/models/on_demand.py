"""A model or judge that is loaded when it is first needed."""

from collections.abc import Callable
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class OnDemand(Generic[Loaded]):
    """Called, gives what ``load`` loads, the same every time; a ``load`` that fails is tried again by the next call."""

    def __init__(self, load: Callable[[], Loaded]) -> None:
        self._load = load
        self._loaded: Loaded | None = None

    def __call__(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def set_aside(self) -> None:
        """Frees its weights until it is called again, so that another model has the whole device."""
        from dominance.models.memory import release_memory

        self._loaded = None
        release_memory()
