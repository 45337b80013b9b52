"""Adds embeddings of textual inversion to a pipeline: new tokens, whose vectors the text encoders read."""

from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken
from torch import Tensor

from dominance.errors import InputError, ModelError
from dominance.models.adapters import FoundAdapter
from dominance.numbers import plural

_ENCODERS = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}


def add_embedding(pipeline: Any, adapter: FoundAdapter) -> str:
    """Gives the tokenizers the token and the text encoders its vectors, and says what to write.

    Raises:
        ModelError: vectors of another size than the encoder's, or a token that the tokenizer has.
        InputError: a pipeline that takes none.
    """
    if not hasattr(pipeline, "load_textual_inversion"):
        raise InputError(
            f"{type(pipeline).__name__} takes no textual inversion embedding; leave out --adapter {adapter.name}"
        )
    token, vectors = str(adapter.token), _by_encoder(pipeline, adapter)
    for encoder, rows in vectors.items():
        _check_size(pipeline, encoder, rows, adapter)
    for encoder, rows in vectors.items():
        tokenizer = getattr(pipeline, encoder.replace("text_encoder", "tokenizer"))
        _add(tokenizer, getattr(pipeline, encoder), token, rows, adapter)
    count = max(len(rows) for rows in vectors.values())
    exactly = ", with the same capitals," if count > 1 and token != token.lower() else ""
    return f"a textual inversion embedding of {plural(count, 'vector')}; write {token}{exactly} in a prompt to use it"


def _add(tokenizer: Any, encoder: Any, token: str, rows: Tensor, adapter: FoundAdapter) -> None:
    """Adds a word for each vector: mug, mug_1, mug_2, as diffusers writes them into a prompt that has the first.

    Diffusers' own way loses all vectors but the first where the word has capitals, since it looks for the words in the
    prompt while the tokenizer has put them into lower case.
    """
    names = [token, *(f"{token}_{number}" for number in range(1, len(rows)))]
    known = [name for name in names if name in tokenizer.get_vocab()]
    if known:
        raise ModelError(
            f"the adapter {adapter.name!r} cannot be added: the model's vocabulary has {known[0]!r} already; rename its"
            " file, or leave it out"
        )
    tokenizer.add_tokens([AddedToken(name, normalized=len(names) == 1) for name in names])
    encoder.resize_token_embeddings(max(len(tokenizer), encoder.get_input_embeddings().num_embeddings))
    table = encoder.get_input_embeddings().weight
    with torch.no_grad():
        table[tokenizer.convert_tokens_to_ids(names)] = rows.to(table)


def _by_encoder(pipeline: Any, adapter: FoundAdapter) -> dict[str, Tensor]:
    """The vectors, a row each, for each text encoder that has some."""
    found = {name: rows if rows.ndim == 2 else rows[None] for name, rows in load_file(adapter.file).items()}
    if set(found) <= set(_ENCODERS):
        listed = {_ENCODERS[name]: rows for name, rows in found.items()}
    else:
        listed = {"text_encoder": next(iter(found.values()))}
    lacking = [name for name in ("text_encoder_2",) if "XL" in type(pipeline).__name__ and name not in listed]
    absent = [name for name in listed if getattr(pipeline, name, None) is None]
    if lacking or absent:
        reads = "text_encoder and text_encoder_2" if lacking else "text_encoder alone"
        raise ModelError(
            f"the adapter {adapter.name!r} has vectors for {' and '.join(listed)}; {type(pipeline).__name__} reads with"
            f" {reads}: give an embedding for this model"
        )
    return listed


def _check_size(pipeline: Any, encoder: str, rows: Tensor, adapter: FoundAdapter) -> None:
    size = getattr(pipeline, encoder).get_input_embeddings().weight.shape[-1]
    if rows.shape[-1] != size:
        raise ModelError(
            f"the adapter {adapter.name!r} has vectors of {rows.shape[-1]} numbers, and the {encoder} of"
            f" {type(pipeline).__name__} reads vectors of {size}; give an embedding for this model"
        )
