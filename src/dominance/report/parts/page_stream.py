"""A page as one HTML file that opens anywhere, offline, written piece by piece: its images are never all in memory."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from dominance import numbers
from dominance.files import write_whole
from dominance.images.left_out import left_out_sentence, missing_first
from dominance.report.parts.bars import dvd_range, presence_bar
from dominance.report.parts.labels import label

_SHARED: dict[str, Any] = {
    "label": label,
    "numbers": numbers,
    "plural": numbers.plural,
    "presence_bar": presence_bar,
    "dvd_range": dvd_range,
    "left_out_sentence": left_out_sentence,
    "missing_first": missing_first,
}
"""What every template may use."""
_CODE = Markup("<code>{}</code>")
_AT_ONCE = 200
"""Pieces of a template that are written together."""


def write_page(path: Path, template: str, **words: object) -> Path:
    """Writes the template, filled with these words, to ``path``; what was there is replaced; returns the path.

    The page holds its images, style and script, makes no request, and is complete without script. It appears whole or
    not at all.

    Args:
        template: its file below ``report/``.
        words: what the template shows; an iterator is read as the page gets to it.

    Raises:
        RunError: the page cannot be written.
    """
    return write_whole(path, then=_pieces(template, words))


def _pieces(template: str, words: dict[str, object]) -> Iterator[bytes]:
    stream = environment().get_template(template).stream(**words)
    stream.enable_buffering(_AT_ONCE)
    for piece in stream:
        yield piece.encode("utf-8", "replace")


def coded(text: str) -> Markup:
    """A sentence in which commands stand between backticks, as Markdown and the command line show them.

    >>> coded("run `dominance audit` & look")
    Markup('run <code>dominance audit</code> &amp; look')
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one that is not closed stays as it is
        return escape(text)
    return Markup("").join(_CODE.format(part) if place % 2 else escape(part) for place, part in enumerate(parts))


@cache
def environment(*packages: str) -> Environment:
    """The templates, which lie beside their pages, and how they are read.

    Args:
        packages: others that hold templates, which may use these.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "") for name in (*packages, "dominance.report")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(_SHARED)
    environment.filters["coded"] = coded
    return environment
