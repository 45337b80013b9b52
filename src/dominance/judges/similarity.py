"""CLIP and SigLIP as judges: how much a picture resembles the concept's name. A weak baseline.

They are never asked the question. All questions about a concept get the same answer, so that of N questions 0 or N
are yes: what is judged is presence alone. Similarity also rises with anything that goes with the concept, and is hardly
touched by "without" or "not"; read these judges beside a better one, never alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from dominance.errors import ModelError
from dominance.judges.image_text import ImageTextEncoder, ImageTextScheme, load_image_text
from dominance.judges.protocol import as_answer
from dominance.models.folders import content_identity
from dominance.records import Answer, Question

CONCEPT_TEXT: str = "a photo of {concept}"
NEUTRAL_TEXTS: tuple[str, ...] = ("a photo", "a picture", "a photo of something else")
"""What CLIP's similarity to the concept is held against; SigLIP needs nothing of the kind."""


@dataclass(frozen=True)
class SimilarityJudge:
    """A CLIP or SigLIP that is asked about a concept by its name.

    With s(text) the cosine of the picture's and the text's embedding times the model's own scale:
    CLIP: ``P(yes) = σ(s(a photo of CONCEPT) − mean over NEUTRAL_TEXTS of s(text))``, a choice of ours.
    SigLIP: ``P(yes) = σ(s(a photo of CONCEPT) + bias)``, the probability that it was trained to give.
    Source: Radford et al. (2021); Zhai et al. (2023), equation 1.
    """

    name: str
    identity: str
    encoder: ImageTextEncoder

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses concepts whose names it would cut off."""
        longest = self.encoder.longest
        for question in questions:
            text = _text(question.concept)
            if (length := self.encoder.tokens(text)) > longest:
                raise ModelError(
                    f"the judge {self.name!r} reads at most {longest} tokens, but {text[:200]!r} has {length}; shorten"
                    " the concept, or give another --judge"
                )

    @torch.inference_mode()
    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """The same answer to all questions about one concept."""
        concepts = list(dict.fromkeys(question.concept for asked in questions for question in asked))
        if not concepts:
            return [() for _ in questions]
        texts = self.encoder.embed_texts([_text(concept) for concept in concepts])
        rows = self._p_yes(self.encoder.embed_images(images), texts).tolist()
        p_yes = [dict(zip(concepts, row, strict=True)) for row in rows]
        return [
            tuple(as_answer(question, known[question.concept]) for question in asked)
            for known, asked in zip(p_yes, questions, strict=True)
        ]

    def _p_yes(
        self, seen: Float[Tensor, "image channel"], texts: Float[Tensor, "concept channel"]
    ) -> Float[Tensor, "image concept"]:
        scale = self.encoder.scale
        logits = scale * seen @ texts.T
        if self.encoder.scheme == "clip":
            neutral = self.encoder.embed_texts(NEUTRAL_TEXTS)
            return torch.sigmoid(logits - (scale * seen @ neutral.T).mean(dim=-1, keepdim=True))
        return torch.sigmoid(logits + float(self.encoder.model.logit_bias))


def _text(concept: str) -> str:
    return CONCEPT_TEXT.replace("{concept}", concept)


def load_similarity_judge(
    name: str, path: Path, scheme: ImageTextScheme, device: str = "auto", identity: str | None = None
) -> SimilarityJudge:
    """A CLIP or SigLIP from an ordinary transformers folder, safetensors only.

    Args:
        identity: of the weights, where they have one besides their content.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or they are of another model.
    """
    encoder = load_image_text(f"the judge {name!r}", path, scheme, device)
    return SimilarityJudge(name, identity or content_identity(path), encoder)
