"""Methods as users name them, several with commas between them."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter, Token

from dominance.errors import InputError

PLAIN = "plain"
"""Name of the images that no method steers."""
_MOST = 20


def parse_methods(text: str) -> tuple[str, ...]:
    """Methods with commas between them, each once, in the order given.

    Raises:
        InputError: none is given, or too many.

    >>> parse_methods("regions, overlap:loss=com,regions")
    ('regions', 'overlap:loss=com')
    """
    found = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if not found:
        raise InputError("--method is empty; give one or more, such as regions,overlap (`dominance list methods`)")
    if len(found) > _MOST:
        raise InputError(f"--method gives {len(found)} methods; give at most {_MOST}")
    return found


def _read_methods(_type: object, tokens: Sequence[Token]) -> tuple[str, ...]:
    return parse_methods(tokens[-1].value)


Methods = Annotated[
    tuple[str, ...],
    Parameter(name="--method", converter=_read_methods, n_tokens=1, metavar="M[,M…]"),
]
