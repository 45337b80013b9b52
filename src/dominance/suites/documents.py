"""Reading YAML that users write."""

import warnings
from pathlib import Path

from dominance.errors import InputError
from dominance.files import read_text
from dominance.wording import on_one_line, quoted


def read_yaml(path: Path) -> object:
    """The one document of a YAML 1.2 file, as plain Python values; None when it is empty.

    Raises:
        InputError: what ``read_text`` raises, or invalid YAML; the message names line and column.
    """
    # Not at the top: it would take most of this package's import time.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLWarning
    from ruamel.yaml.reader import ReaderError

    text, name = read_text(path), on_one_line(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = _problem_and_advice(error.problem or error.context or "it cannot be read")
    except ReaderError as error:
        position = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        problem = f"the control character {quoted(text[error.position : error.position + 1])}; remove it"
    except RecursionError:
        raise InputError(f"{name}: the YAML is nested too deeply; flatten it") from None
    except Exception as error:  # a malformed number, date or tag makes the parser raise anything
        found = f"a value cannot be read ({on_one_line(error, 120)})"
        raise InputError(f"{name}: {found}; put it in quotes") from None
    raise InputError(f"{name}: not valid YAML at line {position[0]}, column {position[1]}: {problem}")


def _problem_and_advice(problem: str) -> str:
    """The parser's words, without the values that it repeats for a duplicate key, and what to do."""
    shown, duplicate, _ = problem.partition(" with value")
    advice = "keep one of the two" if duplicate else "correct it there; put a text with [ or { or ': ' in quotes"
    return f"{on_one_line(shown, 120)}; {advice}"
