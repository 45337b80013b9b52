"""The settings of a run: typed where every run has them, flat in JSON, and whole again when read."""

import pytest

from dominance.documents import from_json, to_json
from dominance.run_settings import RunSettings

RECORD = {
    "seeds": [0, 1], "steps": 3, "guidance": 7.5, "height": None, "batch": "auto", "limit": None,
    "target": 4, "caps": {"landmark": [1, 2]},
}  # fmt: skip


def test_settings_are_written_flat_with_the_keys_that_were_recorded_and_read_back() -> None:
    settings = from_json(RunSettings, RECORD)
    assert (settings.seeds, settings.steps, settings.batch, settings.height) == ((0, 1), 3, "auto", None)
    assert settings.more["target"] == 4
    assert to_json(settings) == settings.record() == RECORD
    assert settings == RunSettings.of(RECORD | {"seeds": (0, 1)})
    assert to_json(RunSettings()) == {}


@pytest.mark.parametrize("broken", [None, [], {"steps": "many"}, {"seeds": 3}])
def test_settings_of_another_type_are_refused(broken: object) -> None:
    with pytest.raises(ValueError):
        from_json(RunSettings, broken)
