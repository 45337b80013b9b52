"""The step that a message names fits what went wrong."""

import json

import pytest

from dominance.wording import remedy_for


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ImportError("requires timm"), "install"),
        (FileNotFoundError(2, "No such file or directory"), "fetch the file that is missing"),
        (OSError("x does not appear to have a file named preprocessor_config.json"), "fetch the file that is missing"),
        (PermissionError(13, "Permission denied"), "fix its permissions"),
        (RuntimeError("size mismatch for a.weight"), "take both from one model"),
        (json.JSONDecodeError("Expecting value", "", 0), "fetch this file again, or correct it"),
        (ValueError("unrecognized architecture"), "or give another model"),
    ],
)
def test_the_remedy_fits_the_error(error: Exception, remedy: str) -> None:
    assert remedy in remedy_for(error)
