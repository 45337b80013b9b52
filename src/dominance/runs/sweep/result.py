"""The result of a sweep, as its page shows it."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dominance.documents import Counted
from dominance.measures import MeasuredChange, MeasuredMean, PictureScores
from dominance.metrics import rate
from dominance.records import Identity, ImageVerdict, JudgeWarning, LeftOut, Rate, RunResult
from dominance.runs.sweep.cells import Cell
from dominance.runs.sweep.choice import Point


@dataclass(frozen=True)
class CellResult:
    """One cell's images, taken together.

    Attributes:
        strengths: of each adapter; empty for the base, the model without any.
        start: share of the steps after which the adapters act.
        checkpoint: the adapter's checkpoint, where there are several.
        control: whether the cell only checks another; it is never recommended.
        composition: of the images of prompts that name the taught concept (with two adapters, both) and something else,
            those that show all concepts.
        presence: of the images of prompts that name it, those that show it; with two adapters, the lower of the two.
        identities: all measures, for each taught concept.
        front: whether no other cell has more of both.
        hanging: how many of its images hang on doubtful answers; None where the judge gives no probability.
        holds: whether the cell holds the floors that were asked for; None without floors, or where it is not known.
        model: path of the cell's own model, where checkpoints are whole models.
        adapter: path of the cell's own adapter, where checkpoints are adapters.
        measures: presence, and with ``--similarity`` what else was measured, over its images.
        changes: the same against the base, on pairs of images from one prompt and noise; none where the images were
            made elsewhere.
    """

    name: str
    strengths: tuple[float, ...]
    start: float | None
    checkpoint: str | None
    control: bool
    images: int
    scored: int
    composition: Counted | None
    presence: Counted | None
    identities: tuple[Identity, ...]
    hanging: int | None = None
    front: bool = False
    holds: bool | None = None
    model: str | None = None
    adapter: str | None = None
    measures: tuple[MeasuredMean, ...] = ()
    changes: tuple[MeasuredChange, ...] = ()

    @property
    def point(self) -> Point | None:
        """Identity and composition; None where one is not known."""
        if self.presence is None or self.composition is None or self.control:
            return None
        identity, composition = self.presence.share, self.composition.share
        return None if identity is None or composition is None else (identity, composition)


@dataclass(frozen=True)
class SweepPicture:
    """One image of the contact grid.

    Attributes:
        name: its seed, or its file's name.
        present: the concepts of the prompt that it shows.
        verdict: None when unscored.
        could_be: the other verdicts that it has with some way to settle its doubtful answers.
        scores: by models that answer no questions; None where none was asked for.
    """

    prompt_id: str
    cell: str
    name: str
    file: str | None
    verdict: ImageVerdict | None
    present: tuple[str, ...]
    dvd: float | None
    could_be: tuple[ImageVerdict, ...] = ()
    scores: PictureScores | None = None


@dataclass(frozen=True)
class SweepPrompt:
    """One prompt, with the names of its concepts."""

    id: str
    text: Annotated[str, Field(alias="prompt")]
    concepts: tuple[str, ...]


@dataclass(frozen=True)
class NamingOrder:
    """What two adapters show when one of their concepts is named first, over all cells in which both act.

    Attributes:
        first: the concept that is named first.
        presence: of each concept.
        dvd: mean DvD score of the first over the second, and of the second over the first.
    """

    first: str
    second: str
    images: int
    presence: dict[str, Counted]
    dvd: tuple[float | None, float | None]


@dataclass(frozen=True)
class AdapterSweep:
    """A swept adapter.

    Attributes:
        taught: the taught concept; of two adapters, both.
        axes: what differs between the cells: strength, start, checkpoint.
        floors: what was asked of a recommended cell: composition and identity, from 0 to 1.
        recommended: the name of the cell; None where none qualifies or none is known.
        why: the recommendation in one sentence, or why there is none.
        orders: with two adapters, the two orders of naming.
        adapters_differ: with two adapters, the largest difference in grey levels, 0 to 255, between images whose
            adapters were added in either order; None where it was not drawn.
        drawn: whether the sweep drew the images itself, from the same noise in every cell; False of images made
            elsewhere.
        warnings: what makes the comparison doubtful, a line each.
    """

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    run: str
    suite: str
    model: str
    judge: str
    settings: dict[str, object]
    taught: tuple[str, ...]
    adapters: tuple[str, ...]
    axes: tuple[Literal["strength", "start", "checkpoint"], ...]
    floors: tuple[float | None, float | None]
    cells: tuple[CellResult, ...]
    recommended: str | None
    why: str
    prompts: tuple[SweepPrompt, ...]
    pictures: tuple[SweepPicture, ...]
    orders: tuple[NamingOrder, ...] = ()
    adapters_differ: int | None = None
    drawn: bool = True
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()

    @property
    def images(self) -> int:
        return sum(cell.images for cell in self.cells)

    @property
    def unscored(self) -> int:
        """Planned images without a score."""
        return sum(picture.verdict is None for picture in self.pictures)

    @property
    def complete(self) -> bool:
        """Whether every image has a score, and none is left out that may belong to the sweep."""
        return not self.unscored and not any(entry.missing for entry in self.left_out)

    @property
    def whole(self) -> bool:
        """Whether the cells are whole models, checkpoints of a training, and not a model with adapters."""
        return any(cell.model is not None for cell in self.cells)

    @property
    def hanging(self) -> int:
        """Images that hang on doubtful answers."""
        return sum(bool(picture.could_be) for picture in self.pictures)

    def cell(self, name: str | None) -> CellResult | None:
        """The cell of that name."""
        return next((cell for cell in self.cells if cell.name == name), None)


def cell_result(cell: Cell, run: RunResult, identities: tuple[Identity, ...], together: Rate | None) -> CellResult:
    """What a cell's images show.

    Args:
        together: with two adapters, the composition of the prompts that name both concepts.
    """
    presences = [found.presence for found in identities if found.presence is not None]
    return CellResult(
        name=cell.name,
        strengths=cell.strengths,
        start=cell.start,
        checkpoint=cell.checkpoint,
        control=cell.swapped,
        images=run.images,
        scored=run.scored,
        composition=identities[0].composition if len(identities) == 1 else together,
        presence=min(presences, key=lambda found: found.share or 0.0) if len(presences) == len(identities) else None,
        identities=identities,
        model=cell.model,
        adapter=cell.adapter,
        hanging=None if run.hanging is None else sum(run.hanging.values()),
        measures=run.measures,
    )


def naming_order(first: str, second: str, runs: list[RunResult]) -> NamingOrder | None:
    """Counts the images of all prompts that name the first concept before the second; None where there are none."""
    prompts = [p for run in runs for p in run.prompts if [c.name for c in p.prompt.concepts][:2] == [first, second]]
    images = [image for prompt in prompts for image in prompt.images if image.verdict is not None]
    if not images:
        return None
    pairs = ((first, second), (second, first))
    dvd = [sum(image.pairs[pair] for image in images) / len(images) for pair in pairs]
    presence = {name: rate(sum(image.shows(name) for image in images), len(images)) for name in (first, second)}
    return NamingOrder(first, second, len(images), presence, (dvd[0], dvd[1]))
