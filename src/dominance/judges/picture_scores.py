"""How far pictures agree with their prompts, and how good they look, by models that are asked no question.

The scores of Chefer et al. (2023), Attend-and-Excite, and Marioriyad et al. (2025), *Attention Overlap Is Responsible
for The Entity Missing Problem*, arXiv 2410.20972, beside presence by a judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from dominance.english import noun_phrase
from dominance.errors import InputError, ItemError, ModelError
from dominance.judges.captioning import Captioner, load_captioner
from dominance.judges.image_text import ImageTextEncoder, load_image_text
from dominance.judges.measuring import SUCH_AS, is_bundled, place_in
from dominance.measures import PictureScores
from dominance.metrics.image_text import cosines, least_concept, photo_quality
from dominance.miniature.bundled import CLIP, MINIATURE
from dominance.miniature.captions import unknown_words
from dominance.models.folders import ModelFolder, bundled_folder, content_identity, find_weights
from dominance.models.on_demand import OnDemand
from dominance.pictures import open_image

GOOD_PHOTO, BAD_PHOTO = "Good photo.", "Bad photo."
"""The two opposite texts of ``photo_quality``. Source: Wang, Chan & Loy (2023)."""
_FORMULAS = 1
"""Part of an identity; another number where a score is computed in another way."""


def score_pictures(
    images: Sequence[Image.Image | Path | str],
    texts: Sequence[str],
    concepts: Sequence[Sequence[str]] | None = None,
    similarity: str = SUCH_AS["similarity"],
    captions: str | None = None,
    device: str = "auto",
) -> list[PictureScores]:
    """Measures pictures against their prompts, without a judge.

    Args:
        images: pictures, or their files.
        texts: the prompt of each, without brackets.
        concepts: what each prompt names, such as ``("tower", "mug")``; None for no smallest similarity.
        similarity: ``clip:`` and the folder or hub id of a CLIP, or ``miniature`` for the bundled one, which knows only
            the miniature world, and no photos: it gives no quality.
        captions: ``blip:`` and that of a BLIP that writes captions; None for no captions.

    Raises:
        InputError: not as many texts or lists of concepts as pictures, a picture that cannot be read, or a model of
            another kind.
        ModelError: a model cannot be loaded.

    >>> scores = score_pictures([picture], ["a tower and a mug"], [("tower", "mug")])  # doctest: +SKIP
    >>> scores[0].image_text, scores[0].least_concept, scores[0].quality  # doctest: +SKIP
    (0.31, 0.22, 0.64)
    """
    named = [()] * len(texts) if concepts is None else concepts
    if not len(images) == len(texts) == len(named):
        raise InputError(
            f"{len(images)} images, {len(texts)} texts and {len(named)} lists of concepts; give one of each a picture"
        )
    opened = [image if isinstance(image, Image.Image) else open_image(Path(image)) for image in images]
    if broken := next((image for image in opened if isinstance(image, ItemError)), None):
        raise InputError(f"{broken}; leave it out, or give another picture")
    whole = [image for image in opened if not isinstance(image, ItemError)]
    return find_encoders(similarity, captions, device).score(whole, texts, named)


@dataclass(frozen=True)
class Encoders:
    """What measures pictures, loaded when it is first needed.

    Attributes:
        identity: changes whenever a score could.
        world: whose words and pictures alone the CLIP knows; None where it knows photos.
    """

    identity: str
    encoder: OnDemand[ImageTextEncoder]
    captioner: OnDemand[Captioner] | None
    world: str | None = None

    def load(self) -> None:
        """Loads all of it.

        Raises:
            ModelError: a model cannot be loaded.
        """
        self.encoder()
        if self.captioner is not None:
            self.captioner()

    def score(
        self, images: Sequence[Image.Image], texts: Sequence[str], concepts: Sequence[Sequence[str]]
    ) -> list[PictureScores]:
        """The scores of each picture.

        Args:
            texts: the prompt of each picture; one that the CLIP cannot read whole, or of words that it does not know,
                has no similarity.
            concepts: the names of what each prompt names; without any there is no smallest one.
        """
        if not images:
            return []
        captions = [None] * len(images) if self.captioner is None else self.captioner().caption(images)
        seen = self.encoder().embed_images(images).numpy()
        named = [[noun_phrase(concept).text for concept in own] for own in concepts]
        told = [caption or None for caption in captions]
        photos = [] if self.world else [GOOD_PHOTO, BAD_PHOTO]
        every = [*texts, *(text for own in named for text in own), *filter(None, told), *photos]
        known = self._directions(list(dict.fromkeys(every)))
        return [
            _scores(row[None], text, own, caption, known, self.encoder().scale)
            for row, text, own, caption in zip(seen, texts, named, told, strict=True)
        ]

    def too_long(self, texts: Sequence[str]) -> list[str]:
        """Those of these texts that the CLIP would cut off."""
        encoder = self.encoder()
        return [text for text in texts if encoder.tokens(text) > encoder.longest]

    def unknown(self, texts: list[str]) -> dict[str, tuple[str, ...]]:
        """Those of these texts in which words stand that the CLIP does not know, with these words."""
        return {text: words for text in texts if (words := unknown_words(text, self.world))}

    def _directions(self, texts: list[str]) -> "_Known":
        cut = {*self.too_long(texts), *self.unknown(texts)}
        read = [text for text in texts if text not in cut]
        return dict(zip(read, self.encoder().embed_texts(read).numpy(), strict=True))


_Known = dict[str, Float[np.ndarray, " channel"]]


def _scores(
    seen: Float[np.ndarray, "1 channel"],
    text: str,
    concepts: Sequence[str],
    caption: str | None,
    known: _Known,
    scale: float,
) -> PictureScores:
    def alike(one: Float[np.ndarray, "1 channel"], *others: str) -> Float[np.ndarray, "1 text"] | None:
        if not others or not all(other in known for other in others):
            return None
        return cosines(one, np.stack([known[other] for other in others]))

    whole, parts, photo = alike(seen, text), alike(seen, *concepts), alike(seen, GOOD_PHOTO, BAD_PHOTO)
    told = alike(known[caption][None], text) if caption in known else None
    return PictureScores(
        image_text=None if whole is None else float(whole[0, 0]),
        least_concept=None if parts is None else float(least_concept(parts)[0]),
        caption_text=None if told is None else float(told[0, 0]),
        quality=None if photo is None else float(photo_quality(photo[:, 0], photo[:, 1], scale)[0]),
        caption=caption,
    )


def find_encoders(similarity: str, captions: str | None = None, device: str = "auto") -> Encoders:
    """The models of these names; their weights are found now, and loaded when they are first needed.

    Args:
        similarity: ``clip:`` and the folder or hub id of a CLIP, or ``miniature`` for the bundled one.
        captions: ``blip:`` and that of a BLIP that writes captions; None for no caption.

    Raises:
        InputError: another scheme.
        ModelError: nothing by that name; weights missing, cut off or not safetensors.
    """
    clip = _found("similarity", similarity)
    blip = None if captions is None else _found("captions", captions)
    world = MINIATURE if is_bundled("similarity", similarity) else None
    identity = "+".join(folder.identity for _, folder in filter(None, (clip, blip)))

    def load_clip() -> ImageTextEncoder:
        encoder = load_image_text(clip[0], clip[1].path, "clip", device, SUCH_AS["similarity"])
        if world is None and encoder.longest < max(map(encoder.tokens, (GOOD_PHOTO, BAD_PHOTO))):
            raise ModelError(f"{clip[0]} reads at most {encoder.longest} tokens of a text; give another CLIP")
        return encoder

    captioner = None if blip is None else OnDemand(lambda: load_captioner(blip[0], blip[1].path, device))
    return Encoders(f"{identity}:{_FORMULAS}", OnDemand(load_clip), captioner, world)


def _found(option: str, name: str) -> tuple[str, ModelFolder]:
    """What it is, for messages, and where its weights are, fetched from a hub if necessary."""
    if is_bundled(option, name):
        path = bundled_folder(CLIP)
        return "the bundled CLIP", ModelFolder(name, path, content_identity(path), {})
    what, place = f"the {option} {name[:80]!r}", place_in(option, name)
    return what, find_weights(place, what)
