"""Draws images of several methods from one loaded model, and measures what each takes."""

import itertools
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dominance.errors import InputError, ItemError, ModelError
from dominance.models.settings import GenerationSettings
from dominance.records import Prompt
from dominance.runs.mitigation.arms import Arm
from dominance.runs.stages.counting import EVALUATIONS, SECONDS, TIMED, counted
from dominance.runs.stages.drawing import Draws
from dominance.runs.stages.model import RunModel, Steered
from dominance.runs.store.plan import PlannedImage

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from dominance.models.image_model import PipelineModel

_WARM_STEPS, _WARM_TEXTS = 2, 3


@dataclass(frozen=True)
class ArmsDrawer:
    """Loads the model with all arms, and draws an image in each to begin with.

    Attributes:
        prompts: of the suite.
        run: marks what is timed in this run of the command, also by its workers.
    """

    model: RunModel
    arms: tuple[Arm, ...]
    prompts: tuple[Prompt, ...]
    run: str = field(default_factory=lambda: secrets.token_hex(6))

    def __call__(self) -> "ArmsModel":
        refused = self.model.texts().refused
        made = ArmsModel(self.model(), self.arms, self.prompts, self.run)
        made.warm_up([prompt for prompt in self.prompts if prompt.id not in refused], self.model.settings)
        return made


class ArmsModel:
    """A loaded model that draws each image as its arm says.

    Args:
        arms: the plain one first.
        prompts: of the suite.
        run: see ``ArmsDrawer``.
    """

    def __init__(self, model: "PipelineModel", arms: Sequence[Arm], prompts: Sequence[Prompt], run: str = "") -> None:
        by_text = {prompt.text: prompt for prompt in prompts}
        self._pipeline = model.pipeline
        self._draws: dict[str, Draws] = {
            arm.name: model if arm.method is None else Steered(model, arm.method, by_text) for arm in arms
        }
        self._arms = tuple(arms)
        self._arm_of: Mapping[str, Arm] = {image.item: arm for arm in reversed(arms) for image in arm.images}
        # On a CPU, other processes slow the clock on the wall, and by chance one arm more than another.
        device = model.pipeline.device
        self._clock = time.process_time if device.type == "cpu" else time.perf_counter
        self._timed = f"{run} on {_name_of(device)}"
        self._took: dict[str, dict[str, object]] = {}

    def warm_up(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """Draws an image in each arm, in few steps: what a method cannot serve shows, and no image pays for a start.

        Args:
            prompts: the first few that a method does not leave plain are tried until it can use one.

        Raises:
            InputError, ModelError: a method cannot steer this model, or use any of the prompts.
        """
        few = replace(settings, steps=min(_WARM_STEPS, settings.steps))
        for arm in self._arms:
            texts = [prompt.text for prompt in prompts if prompt.id not in arm.left_plain]
            _try(self._draws[arm.name], texts[:_WARM_TEXTS], few)

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> "list[Image.Image | ItemError]":
        """One image of each, those of one arm together."""
        parts = itertools.groupby(planned, key=lambda image: self._arm_of[image.item].name)
        return [image for name, part in parts for image in self._together(name, list(part), settings)]

    def _together(
        self, name: str, planned: Sequence[PlannedImage], settings: GenerationSettings
    ) -> "list[Image.Image | ItemError]":
        """The images of one arm.

        Raises:
            ItemError: a prompt that the arm's method cannot use; the model it can, as ``warm_up`` has shown.
        """
        began = self._clock()
        with counted(self._pipeline) as count:
            try:
                drawn = self._draws[name].generate([p.text for p in planned], [p.seed or 0 for p in planned], settings)
            except (InputError, ModelError) as error:
                if name == next(iter(self._draws)):
                    raise
                raise ItemError(str(error)) from None
        took: dict[str, object] = {SECONDS: round((self._clock() - began) / len(planned), 6), TIMED: self._timed}
        if (samples := count()) is not None:
            took[EVALUATIONS] = round(samples / len(planned), 3)
        self._took |= {image.item: took for image in planned}
        return drawn

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:
        """The settings of one image, and what it took."""
        arm = self._arm_of[planned.item]
        return settings.record() | ({} if arm.method is None else {"method": arm.name}) | self._took[planned.item]


def _name_of(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _try(draws: Draws, texts: Sequence[str], settings: GenerationSettings) -> None:
    refused: InputError | ModelError | None = None
    for text in texts:
        try:
            draws.generate([text], [0], settings)
        except (InputError, ModelError) as error:
            refused = error
        except Exception:  # a model may raise anything; the run itself says of which image
            return
        else:
            return
    if refused is not None:
        raise refused


def in_turns(missing: Sequence[PlannedImage], arms: Sequence[Arm], size: int) -> list[PlannedImage]:
    """The images in batches of one arm each, arm after arm, so that a busy machine slows all of them alike."""
    arm_of = {image.item: place for place, arm in reversed(list(enumerate(arms))) for image in arm.images}
    by_arm = [[image for image in missing if arm_of[image.item] == place] for place in range(len(arms))]
    most = max(map(len, by_arm), default=0)
    return [image for start in range(0, most, size) for own in by_arm for image in own[start : start + size]]
