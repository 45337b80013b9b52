"""Which arms a comparison has, and what is refused before a model is loaded for them."""

import pytest

from dominance.errors import InputError
from dominance.guidance.registry import Method
from dominance.models.settings import GenerationSettings
from dominance.records import Suite
from dominance.runs.mitigation.arms import find_arms
from dominance.suites import find_suite


def test_a_setting_that_fits_no_prompt_is_refused_before_the_method_is_made_ready() -> None:
    asked: list[str] = []

    def ready(name: str) -> Method | None:
        asked.append(name)
        return None

    suite: Suite = find_suite("a [castle:landmark] and a [mug]")
    drawing = GenerationSettings(steps=2, guidance=5.0)
    with pytest.raises(InputError, match="taught=castle"):
        find_arms(["regional-adapter:taught=tower"], suite, (0,), "model", drawing, ready)
    assert not asked
