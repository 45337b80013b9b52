"""How well a CLIP of the miniature world tells what a picture shows."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from dominance.judges.image_text import ImageTextEncoder
from dominance.judges.picture_scores import find_encoders
from dominance.metrics.detection import roc_auc, roc_auc_interval
from dominance.metrics.intervals import rate
from dominance.miniature.bundled import MINIATURE
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.labelled import bundled_labels, read_images, read_labelled
from dominance.records import Interval, Rate
from dominance.training.clip import captions_world, named_things

_UNSEEN = 999
"""A training set of the world that no CLIP is trained on by default."""


@dataclass(frozen=True)
class ClipQuality:
    """What a CLIP tells.

    Attributes:
        found: rendered pictures, none of them seen in training, to which a caption of just their things is the most
            similar of all.
        told: area under the ROC curve of a concept's similarity, of the concepts that a prompt names, plain against
            absent to readers' eyes, on images that models drew.
        told_interval: over images.
        plain, absent: how many of each.
    """

    found: Rate
    told: float
    told_interval: Interval
    plain: int
    absent: int


def clip_quality(name: str = MINIATURE, pictures: int = 512, device: str = "auto") -> ClipQuality:
    """Measures a CLIP on new renders, and on the labelled images of the kept half.

    Args:
        name: ``miniature``, or ``clip:`` and the folder of one trained here.
        pictures: how many renders.
    """
    encoder = find_encoders(name, device=device).encoder()
    return ClipQuality(_found(encoder, pictures), *_told(encoder))


def _found(encoder: ImageTextEncoder, pictures: int) -> Rate:
    drawn = [captions_world().picture(_UNSEEN, index) for index in range(pictures)]
    captions = [caption for caption, _ in drawn]
    seen = encoder.embed_images([Image.fromarray(picture.pixels) for _, picture in drawn])
    nearest = (seen @ encoder.embed_texts(captions).T).argmax(1)
    things = named_things(captions)
    return rate(int((things == things[nearest]).all(1).sum()), pictures)


def _told(encoder: ImageTextEncoder) -> tuple[float, Interval, int, int]:
    kept = [picture for picture in read_labelled(bundled_labels()) if picture.half == "kept"]
    seen = encoder.embed_images(list(read_images(bundled_labels(), kept)))
    alike = (seen @ encoder.embed_texts([with_article(concept.name) for concept in CONCEPTS]).T).numpy()
    rows = [
        (float(alike[place, column]), picture.label(concept.name) == "plain", place)
        for place, picture in enumerate(kept)
        for column, concept in enumerate(CONCEPTS)
        if concept.name in picture.concepts and picture.label(concept.name) != "doubtful"
    ]
    scores, plain, images = (np.array(column) for column in zip(*rows, strict=True))
    interval = roc_auc_interval(scores, plain, images.tolist())
    return roc_auc(scores, plain), interval, int(plain.sum()), int((~plain).sum())
