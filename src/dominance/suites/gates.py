"""What a suite's file says beside its prompts: ``name``, ``description`` and ``gate``."""

from collections.abc import Mapping

from dominance.errors import SuiteError
from dominance.records import Gate
from dominance.suites.entries import check_keys, suite_name, text_of
from dominance.wording import described

SUITE_KEYS = ("name", "description", "gate", "prompts")
GATE_KEYS = ("max_collapse", "min_presence", "max_unscored")


def head_of(document: Mapping[str, object], stem: str) -> tuple[str, str, Gate | None]:
    """Name, description and gate; the name is the file's unless the document gives one.

    Raises:
        SuiteError: an unknown key, or a value that cannot be used.
    """
    check_keys(document, SUITE_KEYS, "top level")
    given = text_of(document, "name", "top level")
    description = (text_of(document, "description", "top level") or "").strip()
    gate = _gate(document["gate"]) if "gate" in document else None
    return suite_name(stem if given is None else given), description, gate


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
