"""One thing to teach: the pictures, the prior, and the settings."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dominance.errors import InputError
from dominance.training.dreambooth.options import TeachSettings
from dominance.training.dreambooth.pictures import TrainingPicture
from dominance.wording import complaint, on_one_line


@dataclass(frozen=True)
class FineTuning:
    """Everything that decides what a model learns.

    Attributes:
        token: the word that the concept is taught under.
        pictures: of the concept, with their captions.
        prior: pictures of everything else that the model should go on drawing as it does.
        model: identity of the model that is taught.
        every: steps between two checkpoints; the last step always has one.
        usual_rate: the learning rate to fall back on where the given one is too high; None where none is known.

    Raises:
        InputError: no pictures, or no room for the prior in a batch.
    """

    token: str
    pictures: tuple[TrainingPicture, ...]
    prior: tuple[TrainingPicture, ...]
    settings: TeachSettings
    model: str
    every: int
    usual_rate: float | None = None

    def __post_init__(self) -> None:
        if not self.pictures:
            raise InputError("there are no pictures to learn from; give a folder of images")
        if self.every < 1:
            raise InputError(f"every is {self.every}; give a number of steps from 1")
        self.settings.prior_pictures(bool(self.prior))

    def record(self) -> dict[str, object]:
        """What a checkpoint belongs to, as JSON values; pictures by their content."""
        return {
            **asdict(self.settings),
            "token": self.token,
            "model": self.model,
            "pictures": _content(self.pictures),
            "prior": _content(self.prior),
        }


def _content(pictures: Sequence[TrainingPicture]) -> str:
    digest = hashlib.sha256()
    for picture in pictures:
        try:
            with picture.file.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            shown = on_one_line(picture.file, 120)
            raise InputError(
                f"the picture {shown} cannot be read ({complaint(error)}); fix it or take it out"
            ) from None
        digest.update(f"{picture.caption}\0".encode())
    return f"{len(pictures)} pictures, sha256:{digest.hexdigest()[:16]}"
