"""A small plan and stand-ins for model and judge, so that the stages can be tried without weights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import ItemError
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Prompt, Suite
from dominance.run_settings import RunSettings
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all, plan_images
from dominance.suites import load_questions

SETTINGS = GenerationSettings(steps=2, guidance=3.0)
TOWER, MUG, LAMP = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")


@dataclass
class PlainModel:
    """Draws one colour a seed; remembers its batches, and does what ``before`` does first."""

    before: Callable[[Sequence[str], Sequence[int]], None] = lambda texts, seeds: None
    batches: list[list[int]] = field(default_factory=list)

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]:
        self.batches.append(list(seeds))
        self.before(texts, seeds)
        return [
            Image.new("RGB", (8, 8), (seed, len(text), settings.steps)) for text, seed in zip(texts, seeds, strict=True)
        ]


@pytest.fixture
def plain_model() -> type[PlainModel]:
    return PlainModel


@pytest.fixture
def settings() -> GenerationSettings:
    return SETTINGS


@pytest.fixture
def plan() -> Plan:
    """Two prompts, three seeds: six images."""
    prompts = (Prompt("pair", "a tower and a mug", (TOWER, MUG)), Prompt("lamp", "a lamp", (LAMP,), "single"))
    suite = Suite("small", prompts)
    return Plan(
        suite=suite,
        model="plain",
        judge="scripted",
        judge_identity="scripted",
        questions=ask_all(suite, load_questions().ask),
        images=plan_images(suite, (0, 1, 2), "plain", SETTINGS),
        settings=RunSettings(seeds=(0, 1, 2)),
        origin="audit",
    )


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(run_folder: Path) -> Iterator[Ledger]:
    with Ledger(run_folder / "run.sqlite") as opened:
        yield opened
