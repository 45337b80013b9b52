"""How a concept is taught by ``dominance train dreambooth``: pictures, prior, checkpoints, and what looks at them."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.options import JUDGE, Asking
from dominance.models.drawing import OFFLOADS, Drawing, Machine, ModelConfig, Revision, Seeds, Variant
from dominance.runs.audit.options import WHAT
from dominance.seeds import check_seeds, written_seeds
from dominance.training.dreambooth.options import TeachOptions
from dominance.written import NAMED, WRITTEN

_CHECKPOINTS = 4
"""Checkpoints of a fine-tuning, unless another distance is asked for."""
LEAST = 3
"""Pictures below which a fine-tuning is warned of; DreamBooth's authors use 3 to 5."""


@Parameter(name="*", group=Group("Audit", sort_key=25))
@dataclass(frozen=True)
class Watching:
    """What is drawn and audited at each checkpoint.

    Raises:
        InputError: a value out of its range.
    """

    audit: str | None = None
    """Suite to audit at each checkpoint, and before the first step; its prompts name what is taught."""
    taught: str | None = None
    """What is taught, as the suite's brackets name it; default: token and class, or the token alone."""
    min_presence: float = 0.8
    """Floor: share of the images of prompts with another concept that must show both, 0 to 1."""
    sample: tuple[str, ...] = field(default=(), metadata={WRITTEN: lambda given: list(given) or None})
    """Repeatable: a prompt of the sample sheets; default: what is taught alone, and with a mug."""
    seeds: Seeds | None = field(default=None, metadata={WRITTEN: lambda seeds: written_seeds(tuple(seeds))})
    """Images per prompt, or a list of seeds; default: 0 to 2."""
    draw_steps: int | None = None
    """Denoising steps of these images; default: the model's own."""
    guidance: float | None = None
    """Their guidance scale; default: the model's own."""
    judge: Annotated[str, Parameter(group=JUDGE)] = "miniature"
    """Judge that looks at them; as for dominance audit."""
    embedder: Annotated[str | None, Parameter(group=JUDGE)] = None
    """What compares pictures: miniature, or a folder or hub id of a CLIP, SigLIP, DINOv2 or BLIP model."""
    asking: Asking = field(default_factory=Asking)

    def __post_init__(self) -> None:
        if not 0 <= self.min_presence <= 1:
            raise InputError(f"min-presence is {self.min_presence}; give a share from 0 to 1")
        if self.draw_steps is not None and self.draw_steps < 1:
            raise InputError(f"draw-steps is {self.draw_steps}; give a whole number from 1")
        if self.seeds is not None:
            check_seeds(self.seeds)
        if self.audit is None and self.taught is not None:
            raise InputError("taught names a concept of the suite, but there is none; give --audit SUITE")

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Of every prompt's images."""
        return self.seeds or (0, 1, 2)


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True)
class TeachingOptions:
    """How to teach, and what looks at the result.

    Raises:
        InputError: a value out of its range, or options that exclude one another.
    """

    revision: Revision | None = None
    variant: Variant | None = None
    model_config: ModelConfig | None = None
    concept_class: Annotated[str | None, Parameter(name="--class")] = field(default=None, metadata={NAMED: "class"})
    """What kind of thing it is, such as dog: the word after the token, and the prompt of a prior that is drawn."""
    instance_prompt: str | None = None
    """Caption of pictures that have none; default: “a TOKEN CLASS”."""
    ignore_captions: bool = False
    """Give every picture the instance prompt, whatever captions there are."""
    prior: str | None = None
    """Folder of pictures of other things of the class, which the model should go on drawing as it does."""
    prior_images: int = 0
    """Draw so many such pictures with the model itself, of “a CLASS”, before training."""
    every: int | None = None
    """Steps between two checkpoints; default: a quarter of all."""
    training: TeachOptions = field(default_factory=TeachOptions)
    watching: Watching = field(default_factory=Watching)
    device: Annotated[str, Parameter(group=Group("Machine", sort_key=50))] = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    offload: Annotated[str, Parameter(group=Group("Machine", sort_key=50))] = "none"
    """Move idle parts off the GPU while it trains and draws: none, or model (by component)."""

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise InputError(f"every is {self.every}; give a number of steps from 1")
        if not 0 <= self.prior_images <= 100_000:
            raise InputError(f"prior-images is {self.prior_images}; give a whole number from 0 to 100000")
        if self.offload not in OFFLOADS[:2]:
            raise InputError(f"no offload {self.offload[:60]!r} for training; give one of {', '.join(OFFLOADS[:2])}")
        if self.prior is not None and self.prior_images:
            raise InputError("prior and prior-images exclude one another; give the folder, or let the model draw")
        if self.prior_images and not self.concept_class:
            raise InputError("prior-images are drawn of “a CLASS”, but there is no class; give --class, such as dog")

    def drawing(self, **more: Any) -> Drawing:
        """How the model that is taught draws, in the revision, variant and configuration that were asked for."""
        return Drawing(revision=self.revision, variant=self.variant, model_config=self.model_config, **more)

    @property
    def machine(self) -> Machine:
        """Where checkpoints are drawn with."""
        return Machine(device=self.device, offload=self.offload)

    def distance(self, steps: int) -> int:
        """Steps between two checkpoints of a fine-tuning of so many."""
        return self.every or max(1, -(-steps // _CHECKPOINTS))
