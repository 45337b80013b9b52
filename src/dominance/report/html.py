"""A run as one HTML page that opens anywhere, offline."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from dominance.files import write_whole
from dominance.records import RunResult
from dominance.report.page import VERDICTS, build_page, percent
from dominance.report.plots import dvd_range, presence_bar
from dominance.report.sentences import plural

REPORT_NAME = "report.html"
_IN_VIEW = 24
"""Prompts that the table shows before the rest is folded away."""
_WORDS: dict[str, object] = {
    "verdicts": VERDICTS,
    "in_view": _IN_VIEW,
    "plural": plural,
    "percent": percent,
    "presence_bar": presence_bar,
    "dvd_range": dvd_range,
}
"""What the templates may use beside the page."""


def write_report(result: RunResult, folder: Path) -> Path:
    """Writes ``folder/report.html``: one self-contained page with the answer first.

    The page holds its images, style and script, makes no request, and is complete without script. It appears
    whole or not at all; a page that was there before is replaced.

    Image files are relative to ``folder``, or absolute; one that is missing or broken becomes a placeholder
    that says so. Returns the page's path.

    Raises:
        RunError: the page cannot be written.
    """
    return write_whole(folder / REPORT_NAME, then=_chunks(result, folder))


def _chunks(result: RunResult, folder: Path) -> Iterator[bytes]:
    stream = environment().get_template("report.html.j2").stream(page=build_page(result, folder), **_WORDS)
    stream.enable_buffering(200)
    for chunk in stream:
        yield chunk.encode("utf-8", "replace")


@cache
def environment() -> Environment:
    """The templates, and how they are read."""
    return Environment(
        loader=PackageLoader("dominance.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
