"""Suites as YAML: a mapping with ``prompts``, and perhaps ``name``, ``description`` and ``gate``."""

from collections.abc import Mapping
from pathlib import Path

from dominance.errors import SuiteError
from dominance.records import Gate, Suite
from dominance.suites.documents import read_yaml
from dominance.suites.entries import assemble, check_count, check_keys, entry_of, suite_name, text_of
from dominance.wording import described

SUITE_KEYS = ("name", "description", "gate", "prompts")
GATE_KEYS = ("max_collapse", "min_presence", "max_unscored")


def load_yaml_suite(path: Path) -> Suite:
    """The suite of a YAML file; its name is the file's unless it gives one.

    Raises:
        InputError: the file cannot be read or is not YAML.
        SuiteError: it is not a suite; the message starts with the location in the file.
    """
    document = read_yaml(path)
    if not isinstance(document, Mapping):
        raise SuiteError(f"is not a suite: found {described(document)}; write a mapping with the key prompts")
    check_keys(document, SUITE_KEYS, "top level")
    listed = document.get("prompts")
    if not isinstance(listed, list):
        raise SuiteError(f"is not a suite: prompts is {described(listed)}; give a list of prompts")
    check_count(len(listed))
    given = text_of(document, "name", "top level")
    return Suite(
        name=suite_name(path.stem if given is None else given),
        description=(text_of(document, "description", "top level") or "").strip(),
        gate=_gate(document["gate"]) if "gate" in document else None,
        prompts=assemble([entry_of(value, f"prompts[{index}]") for index, value in enumerate(listed)]),
    )


def _gate(value: object) -> Gate:
    if not isinstance(value, Mapping) or not value:
        found = "an empty mapping" if value == {} else described(value)
        raise SuiteError(f"gate: found {found}; give at least one of {', '.join(GATE_KEYS)}, or leave gate out")
    check_keys(value, GATE_KEYS, "gate")
    return Gate(**{key: _share(share, key) for key, share in value.items()})


def _share(value: object, key: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise SuiteError(f"gate: {key} is {described(value)}; give a share from 0 to 1, such as 0.2")
