"""Which columns of the attention are which words of the prompt, by the tokenizer's own offsets."""

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.errors import InputError, ModelError
from dominance.mentions import mention_spans
from dominance.probes.choices import TOKEN_SETS, TokenSet


@dataclass(frozen=True)
class PromptToken:
    """One of the prompt's own tokens.

    Attributes:
        index: its column in the attention.
        text: the characters that it stands for.
        start, end: where they lie in the prompt.
    """

    index: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the denoiser's attention sees it.

    Attributes:
        text: the prompt, after the pipeline's own preparation.
        tokens: T, its own tokens: no start, end or padding. SD3 has each word twice, CLIP's columns before T5's.
        ends: columns of the end tokens.
        length: columns in all, padding included, unless the pipeline is told another length.
        cut: characters read; what lies beyond is not seen by the model. One an encoder.
    """

    text: str
    tokens: tuple[PromptToken, ...]
    ends: tuple[int, ...]
    length: int
    cut: tuple[int, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """Columns of T."""
        return tuple(token.index for token in self.tokens)

    def token_set(self, which: TokenSet = "content") -> tuple[int, ...]:
        """Columns of a set of tokens: T, T and the end tokens, or all with start and padding."""
        if which == "content":
            return self.indices
        if which == "content+end":
            return tuple(sorted({*self.indices, *self.ends}))
        if which == "all":
            return tuple(range(self.length))
        raise InputError(f"no token set {which!r}; give one of {', '.join(TOKEN_SETS)}")

    def concept(self, name: str) -> tuple[int, ...]:
        """Columns of a concept's tokens, wherever the prompt names it, alone or in the plural.

        Raises:
            InputError: the prompt does not name it, or names it beyond what the text encoder reads.
        """
        return self.concepts([name])[name]

    def concepts(self, names: Collection[str]) -> dict[str, tuple[int, ...]]:
        """Columns of several concepts; where the name of one is part of another's, the longer one wins.

        Raises:
            InputError: the prompt does not name one, or names it beyond what the text encoder reads.
        """
        taken: list[tuple[int, int]] = []
        found: dict[str, tuple[int, ...]] = {}
        for name in sorted(names, key=len, reverse=True):
            spans = mention_spans(self.text, name)
            if not spans:
                raise InputError(f"the concept {name!r} is not in the prompt {self.text!r}; spell it as in the prompt")
            free = [span for span in spans if not any(_overlap(span, other) for other in taken)]
            taken += free
            found[name] = self._columns(name, free or spans)
        return {name: found[name] for name in names}

    def _columns(self, name: str, spans: list[tuple[int, int]]) -> tuple[int, ...]:
        read = [span for span in spans if span[1] <= max(self.cut, default=0)]
        columns = tuple(
            token.index for token in self.tokens if any(_overlap(span, (token.start, token.end)) for span in read)
        )
        if not columns:
            raise InputError(
                f"the concept {name!r} is beyond what the text encoder reads of the prompt {self.text!r};"
                " shorten the prompt"
            )
        return columns


def prompt_tokens(pipeline: DiffusionPipeline, text: str) -> PromptTokens:
    """The prompt's tokens and the columns of the attention that they stand in.

    Stable Diffusion reads by CLIP, FLUX's attention and PixArt's by T5, SD3's by CLIP and behind it T5.

    Raises:
        ModelError: the pipeline has no tokenizer that gives offsets.
    """
    first, tokens, ends, cut = 0, [], [], []
    prepared = text
    for name, limit in _tokenizers(pipeline):
        tokenizer = getattr(pipeline, name, None)
        if tokenizer is None:  # SD3 without T5 still has its columns, all zeros
            first += limit
            continue
        prepared = _prepared(pipeline, tokenizer, text)
        encoded = _encode(name, tokenizer, prepared, limit)
        seen = 0
        for index, (span, special) in enumerate(
            zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True), start=first
        ):
            start, end = _without_spaces(prepared, *span)
            if not special:
                tokens.append(PromptToken(index, prepared[start:end], start, end))
                seen = max(seen, end)
            elif encoded["input_ids"][index - first] == tokenizer.eos_token_id and index - first:
                ends.append(index)
        cut.append(seen)
        first += limit
    return PromptTokens(prepared, tuple(tokens), tuple(ends), first, tuple(cut))


def _tokenizers(pipeline: DiffusionPipeline) -> list[tuple[str, int]]:
    """The tokenizers whose tokens are columns, in the order of the columns, each with its columns' number."""
    family = type(getattr(pipeline, "transformer", None)).__name__
    longest = inspect.signature(type(pipeline).__call__).parameters.get("max_sequence_length")
    t5 = longest.default if longest is not None and isinstance(longest.default, int) else None
    if family == "SD3Transformer2DModel":
        clip = getattr(pipeline, "tokenizer_max_length", 77)
        return [("tokenizer", clip), ("tokenizer_3", t5 or 256)]
    name = "tokenizer_2" if family == "FluxTransformer2DModel" or _lacks(pipeline, "tokenizer") else "tokenizer"
    if _lacks(pipeline, name):
        raise ModelError(f"{type(pipeline).__name__} has no tokenizer; load the pipeline with its tokenizer")
    clip = getattr(pipeline, name).model_max_length
    return [(name, t5 or clip)]


def _lacks(pipeline: DiffusionPipeline, name: str) -> bool:
    return getattr(pipeline, name, None) is None


def _prepared(pipeline: Any, tokenizer: Any, text: str) -> str:
    """The text as the pipeline itself hands it to its tokenizer."""
    if hasattr(pipeline, "maybe_convert_prompt") and "clip" in type(tokenizer).__name__.lower():
        text = pipeline.maybe_convert_prompt(text, tokenizer)  # textual inversion of several vectors
    if hasattr(pipeline, "_text_preprocessing"):
        text = pipeline._text_preprocessing(text, clean_caption=False)[0]  # PixArt lowers the case
    return text


def _encode(name: str, tokenizer: Any, text: str, limit: int) -> Mapping[str, Any]:
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"the pipeline's {name} gives no offsets; load a fast tokenizer")
    return tokenizer(
        text,
        truncation=True,
        max_length=limit,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )


def _without_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the space that T5 counts as part of the next word."""
    covered = text[start:end]
    return start + len(covered) - len(covered.lstrip()), end - len(covered) + len(covered.rstrip())


def _overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[0] < second[1] and second[0] < first[1]
