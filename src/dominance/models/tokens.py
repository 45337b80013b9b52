"""Which characters and which columns of the attention are which concept's, and what the text encoder reads of them.

The one answer for audits, explanations, preflights and edits, by the tokenizer's own offsets.
"""

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.errors import InputError, ModelError
from dominance.mentions import concept_spans, overlap
from dominance.records import Prompt


@dataclass(frozen=True)
class PromptToken:
    """One of the prompt's own tokens.

    Attributes:
        index: its column in the attention.
        text: the characters that it stands for; of an embedding's further vectors their names, such as ``mug_1``.
        start, end: where they lie in the prompt; of all an embedding's vectors, where its word does.
        piece: the tokenizer's own name for it.
        known: whether the text encoder knows what stands there; otherwise it is the token for unknown text.
    """

    index: int
    text: str
    start: int
    end: int
    piece: str = ""
    known: bool = True

    @property
    def blank(self) -> bool:
        """Whether it stands for nothing but the space before a word, as some of T5's do."""
        return self.piece == "▁"


@dataclass(frozen=True)
class Reading:
    """What the text encoder makes of a prompt's concepts.

    Attributes:
        limit: tokens that it reads at most, those for start and end included.
        cut: concepts that the prompt names only beyond that.
        unknown: concepts, and other words of the prompt, that are the token for unknown text, in whole or in part.
        rest: the end of the prompt that it does not read.
        alike: groups of concepts that it cannot tell apart: of the same tokens, or of nothing but unknown ones.
    """

    limit: int
    cut: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()
    rest: str = ""


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the denoiser's attention sees it.

    Attributes:
        text: the prompt, after the pipeline's own preparation.
        tokens: T, its own tokens: no start, end or padding. SD3 has each word twice, CLIP's columns before T5's.
        ends: columns of the end tokens.
        length: columns in all, padding included, unless the pipeline is told another length.
        cut: characters read; what lies beyond is not seen by the model. One an encoder.
        limit: tokens that the encoder that reads most reads, start and end included.
    """

    text: str
    tokens: tuple[PromptToken, ...]
    ends: tuple[int, ...]
    length: int
    cut: tuple[int, ...]
    limit: int

    @property
    def indices(self) -> tuple[int, ...]:
        """Columns of T."""
        return tuple(token.index for token in self.tokens)

    def token_set(self, which: str = "content") -> tuple[int, ...]:
        """Columns of a set of tokens: T, T and the end tokens, or all with start and padding."""
        if which == "content":
            return self.indices
        if which == "content+end":
            return tuple(sorted({*self.indices, *self.ends}))
        if which == "all":
            return tuple(range(self.length))
        raise InputError(f"no token set {which!r}; give one of content, content+end, all")

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
        found = self._found(names)
        for name, own in found.items():
            if own is None:
                raise InputError(f"the concept {name!r} is not in the prompt {self.text!r}; spell it as in the prompt")
            if not own:
                raise InputError(
                    f"the concept {name!r} is beyond what the text encoder reads of the prompt {self.text!r};"
                    " shorten the prompt"
                )
        return {name: tuple(token.index for token in own or ()) for name, own in found.items()}

    def reading(self, names: Collection[str]) -> Reading:
        """What the text encoder makes of these concepts; those that the prompt does not name are passed over."""
        found = self._found(names)
        return Reading(
            limit=self.limit,
            cut=tuple(name for name, own in found.items() if own is not None and not own),
            unknown=self._unknown({name: own for name, own in found.items() if own}),
            alike=_alike({name: own for name, own in found.items() if own}),
            rest=self.text[max(self.cut, default=0) :].strip(),
        )

    def _found(self, names: Collection[str]) -> dict[str, list[PromptToken] | None]:
        """The tokens of each concept; none where no mention of it is read as a whole, None where there is none."""
        end = max(self.cut, default=0)
        found: dict[str, list[PromptToken] | None] = {}
        for name, spans in concept_spans(self.text, names).items():
            read = [span for span in spans if span[1] <= end]
            own = [t for t in self.tokens if any(overlap(span, (t.start, t.end)) for span in read)]
            found[name] = own if spans else None
        return found

    def _unknown(self, concepts: Mapping[str, Sequence[PromptToken]]) -> tuple[str, ...]:
        """Unknown to every encoder: SD3's CLIP knows the letters of all that its T5 does not."""
        known = [(t.start, t.end) for t in self.tokens if t.known and not t.blank]
        lost = [t for t in self.tokens if not t.known and not any(overlap((t.start, t.end), span) for span in known)]
        named = {name: own for name, own in concepts.items() if any(token in lost for token in own)}
        inside = {token.index for own in named.values() for token in own}
        others = [_word_at(self.text, token) for token in lost if token.index not in inside]
        return tuple(dict.fromkeys([*named, *others]))


def _alike(concepts: Mapping[str, Sequence[PromptToken]]) -> tuple[tuple[str, ...], ...]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, own in concepts.items():
        pieces = tuple(token.piece for token in own if not token.blank)
        nothing = not any(token.known for token in own if not token.blank)
        groups.setdefault(() if nothing else pieces, []).append(name)
    return tuple(tuple(names) for names in groups.values() if len(names) > 1)


def _word_at(text: str, token: PromptToken) -> str:
    """The word, between spaces, that a token is part of."""
    start, end = token.start, token.end
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end].strip(".,;:!?()\"'")


def reading_of(pipeline: DiffusionPipeline, prompt: Prompt) -> Reading | None:
    """What the pipeline's text encoder makes of a prompt's concepts; None where the pipeline does not let it be known.

    It is known of CLIP, and of pipelines that say how many tokens they read of a prompt.
    """
    listed = [getattr(pipeline, name, None) for name in ("tokenizer", "tokenizer_2", "tokenizer_3")]
    tokenizers = [tokenizer for tokenizer in listed if tokenizer is not None]
    if not all(getattr(tokenizer, "is_fast", False) for tokenizer in tokenizers):
        return None
    if not tokenizers or (any(not _is_clip(tokenizer) for tokenizer in tokenizers) and _longest(pipeline) is None):
        return None
    return prompt_tokens(pipeline, prompt.text).reading([concept.name for concept in prompt.concepts])


def prompt_tokens(pipeline: DiffusionPipeline, text: str) -> PromptTokens:
    """The prompt's tokens and the columns of the attention that they stand in.

    Stable Diffusion reads by CLIP, FLUX's attention and PixArt's by T5, SD3's by CLIP and behind it T5.

    Raises:
        ModelError: the pipeline has no tokenizer that gives offsets.
    """
    first, most, tokens, ends, cut = 0, 0, [], [], []
    prepared = text
    for name, limit in _tokenizers(pipeline):
        tokenizer = getattr(pipeline, name, None)
        if tokenizer is None:  # SD3 without T5 still has its columns, all zeros
            first += limit
            continue
        prepared = _prepared(pipeline, tokenizer, text)
        encoded = _encode(name, tokenizer, prepared, limit)
        seen = added = 0
        for index, (span, special) in enumerate(
            zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True), start=first
        ):
            start, end = _without_spaces(prepared, *span)
            if not special:
                id = encoded["input_ids"][index - first]
                (piece,) = tokenizer.convert_ids_to_tokens([id])
                known = id != tokenizer.unk_token_id
                token = PromptToken(index, prepared[start:end], start - added, end - added, piece, known)
                if tokens and prepared != text and _continues(tokens[-1].text, token.text, tokenizer):
                    token = replace(token, start=tokens[-1].start, end=tokens[-1].end)
                    added += end - start + 1
                tokens.append(token)
                seen = max(seen, token.end)
            elif encoded["input_ids"][index - first] == tokenizer.eos_token_id and index - first:
                ends.append(index)
        cut.append(seen)
        first, most = first + limit, max(most, limit)
        prepared = text if added else prepared
    return PromptTokens(prepared, tuple(tokens), tuple(ends), first, tuple(cut), most)


def _tokenizers(pipeline: DiffusionPipeline) -> list[tuple[str, int]]:
    """The tokenizers whose tokens are columns, in the order of the columns, each with its columns' number."""
    family = type(getattr(pipeline, "transformer", None)).__name__
    t5 = _longest(pipeline)
    if family == "SD3Transformer2DModel":
        clip = getattr(pipeline, "tokenizer_max_length", 77)
        return [("tokenizer", clip), ("tokenizer_3", t5 or 256)]
    name = "tokenizer_2" if family == "FluxTransformer2DModel" or _lacks(pipeline, "tokenizer") else "tokenizer"
    if _lacks(pipeline, name):
        raise ModelError(f"{type(pipeline).__name__} has no tokenizer; load the pipeline with its tokenizer")
    clip = getattr(pipeline, name).model_max_length
    return [(name, t5 or clip)]


def _longest(pipeline: DiffusionPipeline) -> int | None:
    """Tokens that the pipeline's call says it reads of a prompt; None where it leaves that to its tokenizer."""
    longest = inspect.signature(type(pipeline).__call__).parameters.get("max_sequence_length")
    return longest.default if longest is not None and isinstance(longest.default, int) else None


def _is_clip(tokenizer: Any) -> bool:
    return "clip" in type(tokenizer).__name__.lower()


def _lacks(pipeline: DiffusionPipeline, name: str) -> bool:
    return getattr(pipeline, name, None) is None


def _prepared(pipeline: Any, tokenizer: Any, text: str) -> str:
    """The text as the pipeline itself hands it to its tokenizer."""
    if hasattr(pipeline, "maybe_convert_prompt") and _is_clip(tokenizer):
        text = pipeline.maybe_convert_prompt(text, tokenizer)  # textual inversion of several vectors
    if hasattr(pipeline, "_text_preprocessing"):
        text = pipeline._text_preprocessing(text, clean_caption=False)[0]  # PixArt lowers the case
    return text


def _continues(before: str, text: str, tokenizer: Any) -> bool:
    """Whether a token is a further vector of the embedding whose vector before it is, which the pipeline wrote there.

    Diffusers names the vectors of an embedding mug, mug_1, mug_2.
    """
    name, _, number = text.rpartition("_")
    if not number.isdecimal() or not {name, text} <= tokenizer.added_tokens_encoder.keys():
        return False
    return before == (name if number == "1" else f"{name}_{int(number) - 1}")


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
