"""SVG by hand: a page and the words on it."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

INK, FAINT = "#222", "#ddd"


def document(width: int, height: int, parts: Sequence[str]) -> str:
    """A white page of this size, in pixels, with the parts on it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="system-ui, sans-serif" font-size="13">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *parts, "</svg>\n"])


def text(x: float, y: float, words: str, anchor: str = "start", fill: str = INK, size: int = 13) -> str:
    """Words whose start, middle or end is at x, on the line y."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">{escape(words)}</text>'
    )
