"""What measures pictures without a question, as every command that measures them takes it."""

from dataclasses import dataclass

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.miniature.bundled import MINIATURE

_SCHEMES = {"similarity": "clip", "captions": "blip"}
SUCH_AS: dict[str, str] = {
    "similarity": "clip:openai/clip-vit-base-patch32",
    "captions": "blip:Salesforce/blip-image-captioning-base",
}
"""A model for each option."""


@Parameter(name="*", group=Group("Similarity and quality", sort_key=37))
@dataclass(frozen=True)
class Measuring:
    """Models that say how far images agree with their prompts, and how good they look.

    Raises:
        InputError: a model of another kind, or captions without anything to compare them with.
    """

    similarity: str | None = None
    """clip:ID_OR_FOLDER, a CLIP: how similar images are to the prompt and to the concept that they show least, and
    whether they look like a good photo; or miniature, which knows only the miniature world, and no photos."""
    captions: str | None = None
    """blip:ID_OR_FOLDER, a BLIP that writes captions: how similar the caption of an image is to the prompt, by the CLIP
    of --similarity."""

    def __post_init__(self) -> None:
        for option in _SCHEMES:
            if (name := getattr(self, option)) is not None and not is_bundled(option, name):
                place_in(option, name)
        if self.captions is not None and self.similarity is None:
            raise InputError(
                "captions are compared with the prompt by a CLIP; give --similarity too, such as"
                f" {SUCH_AS['similarity']}"
            )


def is_bundled(option: str, name: str) -> bool:
    """Whether this is the one that ships: there is a CLIP for the drawings of the miniature world, and no BLIP."""
    return option == "similarity" and name == MINIATURE


def place_in(option: str, name: str) -> str:
    """The folder or hub id in a name such as ``clip:owner/name``.

    Raises:
        InputError: another scheme than the option's, or none.
    """
    scheme, _, place = name.partition(":")
    if scheme != _SCHEMES[option] or not place or "://" in place:
        raise InputError(
            f"{option} is {name[:80]!r}; give {_SCHEMES[option]}: and a folder or hub id, such as {SUCH_AS[option]}"
            f"{', or miniature for the miniature world' if is_bundled(option, MINIATURE) else ''}"
        )
    return place
