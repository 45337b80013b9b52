"""Everything about a fine-tuning that is decided before anything is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.errors import InputError
from dominance.models.drawing import Machine
from dominance.models.folders import ModelFolder
from dominance.records import Concept, Suite
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import check_run_folder
from dominance.runs.store.ledger import Ledger
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.pictures import Pictures, concept_pictures, instance_prompt, prior_pictures
from dominance.runs.teaching.said import Said, said_of
from dominance.runs.teaching.watching import Watch, find_audited, references_of, taught_concept
from dominance.runs.teaching.words import token_notes
from dominance.training.dreambooth.options import TeachSettings
from dominance.training.dreambooth.pictures import TrainingPicture

if TYPE_CHECKING:
    from dominance.training.dreambooth.fine_tuning import FineTuning


@dataclass(frozen=True, eq=False)
class TeachingPlan:
    """What is taught to what, from which pictures, and what looks at it.

    Attributes:
        folder: of the run.
        model: by name.
        base: the same, loaded when first needed.
        prior: pictures of a folder; None where there is none, or the model draws them itself.
        concept: of the suite, that is taught; None without a suite.
        references: the pictures that images are compared with; None where they are not.
        said: what is to be said before the first step.
    """

    images: Path
    token: str
    model: str
    folder: Path
    base: RunModel
    settings: TeachSettings
    pictures: Pictures
    prior: Pictures | None
    suite: Suite | None
    concept: Concept | None
    references: Path | None
    said: Said
    options: TeachingOptions

    @property
    def subject(self) -> str:
        """What the folder is of, whatever the options."""
        return f"{self.token} in {self.base.source.identity}"

    def fine_tuning(self, prior: tuple[TrainingPicture, ...]) -> "FineTuning":
        """What is trained.

        Args:
            prior: the pictures of the prior, be they of a folder or drawn.
        """
        from dominance.training.dreambooth.fine_tuning import FineTuning

        every = self.options.distance(self.settings.steps)
        rate, identity = self.options.training.usual(self.base.source.world)["rate"], self.base.source.identity
        return FineTuning(self.token, self.pictures.pictures, prior, self.settings, identity, every, rate)

    def watch(self, ledger: Ledger) -> Watch:
        """What looks at the checkpoints."""
        prompt = instance_prompt(self.token, self.options)
        return Watch(
            folder=self.folder,
            ledger=ledger,
            base=self.model,
            options=self.options,
            samples=self.options.watching.sample or (prompt, f"{prompt} and a mug"),
            suite=self.suite,
            concept=self.concept,
            references=self.references,
        )


def decided(
    images: Path | str, token: str, model: str, out: Path | str | None, options: TeachingOptions
) -> TeachingPlan:
    """The plan of a fine-tuning.

    Raises:
        InputError: pictures, model, suite, folder or an option cannot be used, or the fine-tuning could not be carried
            out; see ``check_teachable``.
    """
    if not (token := token.strip()):
        raise InputError("the token is empty; give the word that the concept is taught under, such as sks")
    folder = Path(out or Path("runs") / "-".join(token.lower().split()))
    check_run_folder(folder)
    pictures = concept_pictures(Path(images), token, options)
    prior = None if options.prior is None else prior_pictures(Path(options.prior), options.concept_class)
    suite = find_audited(options)
    concept = None if suite is None else taught_concept(suite, token, options)
    training = options.training
    dtype = training.precision if training.train == "lora" else "float32"
    machine = Machine(device=options.device, offload="none")
    base = RunModel(model, options.drawing(dtype=dtype), machine)
    settings = training.settings(base.source.world)
    settings.prior_pictures(prior is not None or options.prior_images > 0)
    references = references_of(Path(images), pictures, options, base.source.world)
    words = _asked_of_model(base, token, settings, options, folder)
    said = said_of(token, words, pictures, prior, suite, concept, references is not None, options)
    return TeachingPlan(
        Path(images), token, model, folder, base, settings, pictures, prior, suite, concept, references, said, options
    )


def _asked_of_model(
    base: RunModel, token: str, settings: TeachSettings, options: TeachingOptions, folder: Path
) -> tuple[str, ...]:
    """Whether the model can be taught so, without its weights; and what it makes of the token, a line each."""
    from dominance.models.devices import find_device
    from dominance.models.loading import outline
    from dominance.training.dreambooth.checks import check_teachable
    from dominance.training.dreambooth.teach import STATE

    if not isinstance(base.source, ModelFolder):
        raise InputError("a pipeline in memory cannot be taught a concept; give its folder, file or hub id")
    pipeline = outline(base.source)
    every = options.distance(settings.steps)
    check_teachable(pipeline, settings, every, folder / STATE, find_device(options.device))
    return token_notes(pipeline, token)
