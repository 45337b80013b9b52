"""Whose samples a running forward computes, and which edit each image has at its step."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from torch import nn

from dominance.errors import InputError
from dominance.probes.calls import Forward

ROWS_RUN: WeakKeyDictionary[nn.Module, tuple[int, ...]] = WeakKeyDictionary()
"""Of denoisers that compute only some of their batch's samples at this moment: which; see ``sharing``."""


@dataclass(frozen=True)
class Sample:
    """One sample of the batch that the denoiser computes.

    Attributes:
        row: its row in the tensors inside the denoiser.
        image: the image that it belongs to.
        prompted: whether it carries the image's prompt, not the unconditional branch.
    """

    row: int
    image: int
    prompted: bool


def samples_run(denoiser: nn.Module, forward: Forward) -> Iterator[Sample]:
    """The samples that are computed in this forward, row by row."""
    prompted = forward.conditional
    for row, sample in enumerate(ROWS_RUN.get(denoiser, range(forward.samples))):
        yield Sample(row, sample % forward.images, prompted.start <= sample < prompted.stop)


class Edit(Protocol):
    """Something done to an image at certain steps; None stands for all of them."""

    @property
    def steps(self) -> Collection[int] | None: ...


SomeEdit = TypeVar("SomeEdit", bound=Edit)


class EditsByImage(Generic[SomeEdit]):
    """One edit, or none, for every image of a call.

    Args:
        each: one an image; a single edit that is not in a list holds for all images.
        verb: what is done, as error messages say it.
    """

    def __init__(self, denoiser: nn.Module, each: SomeEdit | Sequence[SomeEdit | None], verb: str) -> None:
        self._denoiser, self._verb = denoiser, verb
        self.each = tuple(each) if isinstance(each, Sequence) else None
        self.all = tuple(edit for edit in each if edit is not None) if isinstance(each, Sequence) else (each,)
        self._common = None if isinstance(each, Sequence) else each
        self._seen: set[int] = set()

    def check_images(self, forward: Forward) -> None:
        """Raises an InputError unless there is an entry for every image."""
        if self.each is not None and len(self.each) != forward.images:
            raise InputError(
                f"each has {len(self.each)} entries for {forward.images} images; give one per image, None for an"
                " unchanged image"
            )

    def acting(self, forward: Forward) -> Iterator[tuple[Sample, SomeEdit]]:
        """The samples of this forward whose image is edited at its step."""
        if not any(_acts(edit, forward) for edit in self.all):
            return
        for sample in samples_run(self._denoiser, forward):
            edit = self.of(sample.image)
            if edit is not None and _acts(edit, forward):
                yield sample, edit

    def of(self, image: int) -> SomeEdit | None:
        """An image's edit."""
        return self._common if self.each is None else self.each[image]

    def passed(self, forward: Forward) -> None:
        """The forward has ended."""
        self._seen.add(forward.step)

    def check_complete(self) -> None:
        """Raises an InputError where nothing was drawn, or a step of an edit never came."""
        if self.all and not self._seen:
            raise InputError(f"nothing was drawn in the block, so nothing is {self._verb}; call the pipeline in it")
        for edit in self.all:
            for step in sorted(set(edit.steps or ()) - self._seen):
                raise InputError(
                    f"step {step} cannot be {self._verb}: the call had {max(self._seen) + 1} steps; give steps from 0"
                    f" to {max(self._seen)}"
                )


def _acts(edit: Edit, forward: Forward) -> bool:
    return edit.steps is None or forward.step in edit.steps


def checked_steps(steps: Collection[int] | None) -> tuple[int, ...] | None:
    """Numbers of steps, sorted, or None for all.

    Raises:
        InputError: none, or one that cannot be a step.
    """
    if steps is None:
        return None
    if isinstance(steps, int | str) or not steps:
        raise InputError(f"steps is {steps!r}; give step numbers from 0, such as (0,), or None for all")
    for step in steps:
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise InputError(f"steps has {step!r}; give step numbers from 0, or None for all")
    return tuple(sorted(set(steps)))
