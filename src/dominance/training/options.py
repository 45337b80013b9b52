"""What the miniature model and its judge are trained on, as users say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from dominance.errors import InputError
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.world import World, diversity_by_kind
from dominance.written import Names

if TYPE_CHECKING:
    from dominance.models.folders import ModelFolder
    from dominance.training.backbones.protocol import Backbone
    from dominance.training.judge import JudgeSettings
    from dominance.training.miniature import MiniatureSettings

FEWEST_PICTURES: int = 320
_FEWEST_FOR_DECODER = 160
_SHARES = (
    "scenery",
    "pairs",
    "entity_pairs",
    "entities_together",
    "free_layouts",
    "entity_diversity",
    "object_diversity",
)
_PICTURES_OF_A_NEW_JUDGE = 192_000


def check_concepts(names: Sequence[str]) -> None:
    """Raises an InputError for a name that is no concept of the miniature world."""
    for name in names:
        if name not in BY_NAME:
            raise InputError(f"no concept {name[:60]!r}; give some of {', '.join(BY_NAME)}")


def _check_count(option: str, count: int, least: int) -> None:
    if count < least:
        raise InputError(f"{option} is {count}; give a whole number from {least}")


def _check_share(option: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise InputError(f"{option} is {share}; give a number from 0 to 1")


def _check_training(seed: int, learning_rate: float | None) -> None:
    _check_count("seed", seed, 0)
    if learning_rate is not None and not 1e-8 <= learning_rate <= 1:
        raise InputError(f"learning-rate is {learning_rate}; give a number from 1e-8 to 1")


@Parameter(name="*")
@dataclass(frozen=True)
class MiniatureOptions:
    """What the text-to-image model is trained on.

    Raises:
        InputError: a value out of its range, or a concept that there is not.
    """

    pictures: int = 96_000
    """Pictures that the denoiser sees."""
    autoencoder_pictures: int = 40_000
    """Pictures that the decoder sees."""
    scenery: float = 0.5
    """Share of single captions that name scenery."""
    pairs: float = 0.45
    """Share of pictures of two objects."""
    entity_pairs: float = 0.0
    """Share of pictures of entity and object."""
    entities_together: float = 0.0
    """Share of pictures of two entities."""
    free_layouts: float = 0.0
    """Of pictures of two, the share laid out freely."""
    entity_diversity: float = 0.0
    """Of landmarks and characters: 0 is rigid."""
    rigid: Annotated[Names, Parameter(show_default=False)] = ()
    """Concepts of diversity 0 whatever their kind, by commas."""
    object_diversity: float = 1.0
    """Of objects: 1 is varied."""
    base: str | None = None
    """Model whose training goes on: a bundled name or a folder; from nothing unless given."""
    autoencoder: str | None = None
    """Model whose autoencoder is taken as it is; the base's, else one of its own, unless given."""
    denoiser: Literal["unet", "transformer"] | None = None
    """unet, as Stable Diffusion 1's, or transformer, as PixArt's; the base's, else unet, unless given."""
    learning_rate: float | None = None
    """Peak; 0.0012 unless given."""
    seed: int = 0
    """Seed of data, weights and noise."""

    def __post_init__(self) -> None:
        _check_training(self.seed, self.learning_rate)
        _check_count("pictures", self.pictures, FEWEST_PICTURES)
        _check_count("autoencoder-pictures", self.autoencoder_pictures, _FEWEST_FOR_DECODER)
        for name in _SHARES:
            _check_share(name.replace("_", "-"), getattr(self, name))
        together = self.pairs + self.entity_pairs + self.entities_together
        if together > 1:
            raise InputError(f"the three shares of pairs make {together} of all pictures; give at most 1 together")
        check_concepts(self.rigid)

    @property
    def world(self) -> World:
        """The distribution of pictures and captions."""
        by_kind = diversity_by_kind(self.entity_diversity, self.object_diversity)
        return World(
            diversity=by_kind | dict.fromkeys(self.rigid, 0.0),
            pairs=self.pairs,
            entity_pairs=self.entity_pairs,
            entities_together=self.entities_together,
            free_layouts=self.free_layouts,
            scenery=self.scenery,
        )

    def settings(self, base: "ModelFolder | None", autoencoder: "ModelFolder | None") -> "MiniatureSettings":
        """What is trained, given the two models that the options name."""
        from dominance.training.miniature import LEARNING_RATE, MiniatureSettings

        return MiniatureSettings(
            seed=self.seed,
            pictures=self.pictures,
            autoencoder_pictures=self.autoencoder_pictures,
            world=self.world,
            learning_rate=self.learning_rate or LEARNING_RATE,
            base=None if base is None else base.identity,
            autoencoder=None if autoencoder is None else autoencoder.identity,
            backbone=self._backbone(base),
        )

    def _backbone(self, base: "ModelFolder | None") -> "Backbone":
        from dominance.training.backbones.registry import BACKBONES, backbone_of

        if base is None:
            return BACKBONES[self.denoiser or "unet"]()
        found = backbone_of(base.whole)
        if self.denoiser not in (None, found.part):
            raise InputError(
                f"denoiser is {self.denoiser}, but the base {base.name} has a {found.part}; leave out --denoiser to go"
                " on from it, or --base to start from nothing"
            )
        return found


@Parameter(name="*")
@dataclass(frozen=True)
class JudgeOptions:
    """What the yes/no judge is trained on.

    Raises:
        InputError: a value out of its range.
    """

    pictures: int | None = None
    """Pictures that it learns to see from; 192000 from nothing and none from a base unless given."""
    answered: int = 40_000
    """Pictures after that, from which it learns to answer."""
    garbled: float = 0.35
    """Share of the pictures in which a concept is made unrecognisable."""
    base: str | None = None
    """Judge whose training goes on: miniature, or blip:FOLDER; from nothing unless given."""
    labelled: Annotated[tuple[Path, ...], Parameter(negative="")] = ()
    """Folders of pictures that models drew, labelled by eye, which a base also learns from; see dominance train
    labels."""
    learning_rate: float | None = None
    """Peak; 0.0008 from nothing and 0.0004 from a base unless given."""
    seed: int = 0
    """Seed of pictures, questions and weights."""

    def __post_init__(self) -> None:
        _check_training(self.seed, self.learning_rate)
        _check_count("answered", self.answered, FEWEST_PICTURES)
        _check_share("garbled", self.garbled)
        if self.pictures is not None and self.pictures < (0 if self.base else FEWEST_PICTURES):
            raise InputError(
                f"pictures is {self.pictures}; give at least {FEWEST_PICTURES}, or leave it out where a base is given"
            )

        if self.labelled and not self.base:
            raise InputError("labelled is for a judge whose training goes on; give --base, such as miniature")

    def settings(self, base: str | None, labelled: str | None = None) -> "JudgeSettings":
        """What is trained, given the identities of the judge and the labelled pictures that the options name."""
        from dominance.training.judge import LATER_LEARNING_RATE, LEARNING_RATE, JudgeSettings

        pictures = 0 if base else _PICTURES_OF_A_NEW_JUDGE
        return JudgeSettings(
            seed=self.seed,
            pictures=pictures if self.pictures is None else self.pictures,
            answered=self.answered,
            garbled=self.garbled,
            learning_rate=self.learning_rate or (LATER_LEARNING_RATE if base else LEARNING_RATE),
            base=base,
            labelled=labelled,
        )
