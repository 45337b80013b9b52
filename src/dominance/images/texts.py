"""The prompt that an image file itself names: the text that the program which made it left in it."""

import io
import json
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dominance.images.workflows import prompts_of_workflow
from dominance.pictures import TEXTS_OF_PNG, png_chunks

_LONGEST = 64_000_000
"""Bytes of one text, unpacked."""
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_MODEL, _MAKE, _DESCRIPTION = 0x0110, 0x010F, 0x010E


def prompts_in(path: Path) -> tuple[str, ...]:
    """The prompts that a file says it was made from; none where it says nothing.

    Read are the texts of AUTOMATIC1111's web UI and its kin (``parameters``, in JPEG and WebP the user comment), of
    ComfyUI (``prompt``, the workflow as it ran), Fooocus and InvokeAI. Never raises: a broken file says nothing.
    """
    found: list[str] = []
    for key, text in texts_in(path):
        if key in _READERS:
            found += [prompt for prompt in _READERS[key](text) if prompt.strip()]
    return tuple(dict.fromkeys(found))


def texts_in(path: Path) -> list[tuple[str, str]]:
    """What programs that make images left in a file, each text under the name that it has in a PNG. Never raises."""
    try:
        with path.open("rb") as file:
            texts = list(_png_texts(file))
            if not texts and file.seek(0) == 0 and file.read(4) != b"\x89PNG":
                texts = list(_exif_texts(path))
    except Exception:  # a file of someone else's may hold anything; judging it will say what is wrong
        return []
    return texts


def prompt_of_parameters(text: str) -> str:
    r"""The prompt in the text of AUTOMATIC1111's web UI: what comes before the negative prompt and the settings.

    >>> prompt_of_parameters("a mug\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a")
    'a mug'
    """
    lines = []
    for line in text.splitlines():
        if line.startswith("Negative prompt:") or re.match(r"Steps: \d+", line):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def _of_parameters(text: str) -> list[str]:
    record = record_of(text)
    if record is None:
        return [prompt_of_parameters(text)]
    return [value for value in (record.get("prompt"), record.get("Prompt")) if isinstance(value, str)]


def _of_prompt(text: str) -> list[str]:
    record = record_of(text)
    return [text] if record is None else prompts_of_workflow(record)


def _of_invoke(text: str) -> list[str]:
    prompt = (record_of(text) or {}).get("positive_prompt")
    return [prompt] if isinstance(prompt, str) else []


_READERS: dict[str, Callable[[str], list[str]]] = {
    "parameters": _of_parameters,
    "prompt": _of_prompt,
    "invokeai_metadata": _of_invoke,
}


def record_of(text: str) -> dict[str, Any] | None:
    """The JSON object that a text of a file is; None if it is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        # ComfyUI writes NaN where a value never changes; Python reads it.
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _png_texts(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Keyword and text of each text chunk that a reader knows, however large."""
    for kind, start, end in png_chunks(file):
        if kind not in TEXTS_OF_PNG or end - start > _LONGEST:
            continue
        file.seek(start)
        key, _, rest = file.read(end - start).partition(b"\0")
        name = key.decode("latin-1")
        if name in _READERS and (text := _unpacked(kind, rest)) is not None:
            yield name, text


def _unpacked(kind: bytes, data: bytes) -> str | None:
    """The text of a chunk after its keyword; None if it is broken or unpacks to too much."""
    if kind == b"tEXt":
        return _decoded(data)
    if kind == b"zTXt":
        plain = _inflated(data[1:])
        return None if plain is None else _decoded(plain)
    packed = data[:1] == b"\1"
    _, _, rest = data[2:].partition(b"\0")
    _, _, rest = rest.partition(b"\0")
    plain = _inflated(rest) if packed else rest
    return None if plain is None else plain.decode("utf-8", "replace")


def _decoded(data: bytes) -> str:
    """Text that should be Latin-1; many programs write UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _inflated(data: bytes) -> bytes | None:
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(data, _LONGEST)
    except zlib.error:
        return None
    return None if unpacking.unconsumed_tail else plain


def _exif_texts(path: Path) -> Iterator[tuple[str, str]]:
    """The texts of a JPEG, WebP or AVIF, under the names that they have in a PNG."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            exif = image.getexif()
            comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT)
            described = [exif.get(tag) for tag in (_MODEL, _MAKE, _DESCRIPTION)]
    if comment:
        text = _comment(comment)
        yield ("prompt" if '"class_type"' in text else "parameters"), text
    for text in described:
        if isinstance(text, str) and text.lower().startswith("prompt:"):
            yield "prompt", text[len("prompt:") :].strip("\0 ")


def _comment(value: bytes | str) -> str:
    """The text of a user comment, whose first eight bytes name its encoding."""
    if isinstance(value, str):
        return value
    head, body = value[:8], value[8:]
    if head == b"UNICODE\0":
        # The standard leaves the byte order open: ASCII letters have their zero byte first, or last.
        order = "utf-16-be" if io.BytesIO(body).read(1) == b"\0" else "utf-16-le"
        return body.decode(order, "replace")
    return _decoded(body if head in (b"ASCII\0\0\0", b"\0" * 8) else value).strip("\0")
