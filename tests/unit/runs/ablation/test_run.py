"""The engine: what is drawn and asked, what is reused, and what is refused; edited images come from a stand-in."""

import functools
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dominance.documents import printed
from dominance.errors import InputError, ItemError, RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.image_model import PipelineModel
from dominance.models.pipelines import load_pipeline
from dominance.models.settings import GenerationSettings
from dominance.probes.ablation import Ablation
from dominance.probes.rebalancing import Rebalancing
from dominance.records import Concept, Prompt, Question, Suite
from dominance.runs.ablation import run as ablation_suite
from dominance.runs.ablation.options import SWEEPS, AblationOptions
from dominance.runs.ablation.result import AblationResult, Edited
from dominance.runs.ablation.trials import TrialStage, VariantModel
from dominance.runs.ablation.variants import Variant
from dominance.runs.stages.model import RunModel

CPU = Machine("cpu")
PAIR = (Concept("tower", "landmark"), Concept("mug"))
SUITE = Suite(
    "small",
    (
        Prompt("pair", "a tower and a mug", PAIR, "first"),
        Prompt("mug", "a mug", PAIR[1:]),
        Prompt("pots", "a tower and two mugs", PAIR, "second"),
    ),
)
KINDS = {"unchanged": 0, "mitigated": 1, "corrupted": 2}
Rule = Callable[[Variant, str, int], str]


def opinion(image: Image.Image, question: Question) -> float:
    """Unedited images collapse; the stand-in writes into its small ones what they are."""
    if image.size != (8, 8):
        return float(question.concept == "tower")
    kind = image.getpixel((0, 0))[0]
    return {0: float(question.concept == "tower"), 1: 1.0, 2: 0.0}[kind]


@dataclass
class StandIn:
    """Draws by a rule from variant, text and seed to outcome; remembers what it was asked for."""

    rule: Rule
    drawn: list[tuple[str, int, str]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], variants: Sequence[Variant], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]:
        self.batches.append(len(texts))
        made: list[Image.Image | ItemError] = []
        for text, seed, variant in zip(texts, seeds, variants, strict=True):
            kind = self.rule(variant, text, seed)
            if kind == "interrupted":
                raise KeyboardInterrupt
            self.drawn.append((text, seed, variant.label))
            broken = kind == "broken"
            made.append(ItemError("broken") if broken else Image.new("RGB", (8, 8), (KINDS[kind], seed, len(text))))
        return made


@dataclass
class Runs:
    """Ablates the suite with a stand-in for the edited images."""

    model: str
    folder: Path
    patch: pytest.MonkeyPatch

    def __call__(self, rule: Rule, suite: Suite = SUITE, **options: Any) -> tuple[AblationResult, StandIn]:
        stand_in = StandIn(rule)
        stage = functools.partial(TrialStage, variants=lambda model: stand_in)
        self.patch.setattr(ablation_suite, "TrialStage", stage)
        chosen = AblationOptions(**{"layers": (2, 9), "drawing": Drawing((1, 2, 3)), "machine": CPU, **options})
        result = ablation_suite.ablate_suite(suite, self.model, ScriptedJudge(opinion), self.folder, chosen)
        return result, stand_in


@pytest.fixture
def ablated(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(str(tiny_model), tmp_path / "run", monkeypatch)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def second_head_helps(variant: Variant, text: str, seed: int) -> str:
    """Head 1 of layer 9 mitigates all but seed 3 of the first prompt; head 0 of layer 2 spoils everything."""
    heads = dict(variant.edit.heads) if isinstance(variant.edit, Ablation) else {}
    if 1 in heads.get(9, ()) or (variant.label.startswith("2.1") and "two" in text):
        return "mitigated" if seed != 3 or "two" in text else "unchanged"
    return "corrupted" if 0 in heads.get(2, ()) else "unchanged"


@pytest.mark.slow
def test_single_heads_are_tried_on_every_collapsed_image(ablated: Runs) -> None:
    result, stand_in = ablated(second_head_helps)
    heads = result.sweeps[0]
    per_layer = len(heads.variants) // 2
    assert len(stand_in.drawn) == 2 * 3 * 2 * per_layer
    assert (result.unedited.collapsed.count, result.unedited.collapsed.n) == (6, 6)
    assert result.left_out == ("mug",)
    assert "left out, with fewer than two concepts: mug" in result.notes
    by_label = {one.name: one for one in heads.variants}
    assert (by_label["9.1"].images.mitigated.count, by_label["9.1"].prompts.count) == (5, 2)
    assert by_label["2.0"].images.corrupted.share == 1.0
    assert [one.name for one in heads.layers] == ["2", "9"]
    assert (heads.total.prompts.count, heads.total.prompts.n) == (2, 2)
    assert {group.name: group.images.mitigated.count for group in heads.groups} == {"first": 2, "second": 6}
    assert {prompt.id: prompt.mitigating for prompt in result.prompts} == {
        "pair": ((9, 1),),
        "pots": ((2, 1), (9, 1)),
    }
    assert [size_of(ablated.folder / file) for file in result.prompts[0].example[1:3]] == [(32, 32), (8, 8)]
    assert printed(result)["sweeps"][0]["layers"][0]["images"]["n"] == 6 * per_layer


def test_a_finished_run_draws_asks_and_loads_nothing_again(ablated: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = ablated(second_head_helps)
    monkeypatch.setattr(RunModel, "__call__", lambda _: pytest.fail("the model was loaded"))
    monkeypatch.setattr(ScriptedJudge, "answer", lambda *_: pytest.fail("the judge was asked"))
    again, stand_in = ablated(second_head_helps)
    assert stand_in.drawn == []
    assert printed(again) == printed(first)


def test_what_was_finished_before_a_kill_is_kept(ablated: Runs) -> None:
    stopped: list[int] = []

    def dying(variant: Variant, text: str, seed: int) -> str:
        stopped.append(seed)
        return "interrupted" if len(stopped) > 10 else second_head_helps(variant, text, seed)

    with pytest.raises(KeyboardInterrupt):
        ablated(dying, machine=Machine("cpu", 4))
    result, stand_in = ablated(second_head_helps, machine=Machine("cpu", 4))
    whole = result.sweeps[0].total.images.n
    assert len(stand_in.drawn) == whole - 8  # two batches of four were finished
    assert max(stand_in.batches) == 4
    with sqlite3.connect(ablated.folder / "run.sqlite") as database:
        rows = database.execute("SELECT count(*), count(DISTINCT item) FROM images").fetchone()
        assert rows == (6 + whole, 6 + whole)
        edits = database.execute("SELECT settings FROM images WHERE settings LIKE '%edit%'").fetchall()
        assert len(edits) == whole
        assert database.execute("SELECT count(*) FROM scores").fetchone() == (6 + whole,)


def test_another_sweep_into_the_same_folder_reuses_the_heads(ablated: Runs) -> None:
    ablated(second_head_helps)
    result, stand_in = ablated(second_head_helps, sweep=("multi",))
    assert {(text, label) for text, _, label in stand_in.drawn} == {("a tower and two mugs", "2.1 + 9.1")}
    multi = result.sweeps[0]
    assert (multi.total.images.mitigated.count, multi.total.images.n, multi.left_out) == (3, 3, 1)


def test_controls_are_pairs_of_layer_1_that_do_not_mitigate(ablated: Runs) -> None:
    def first_layer(variant: Variant, text: str, seed: int) -> str:
        return "mitigated" if variant.label == "1.0" else "corrupted"

    result, stand_in = ablated(first_layer, sweep=("controls",))
    labels = {label for _, _, label in stand_in.drawn}
    heads = sorted(label for label in labels if "+" not in label)
    pairs = {f"{one} + {other}" for n, one in enumerate(heads[1:], 1) for other in heads[n + 1 :]}
    assert labels == {*heads, *pairs}
    assert all(head.startswith("1.") for head in heads)
    assert result.sweeps[0].total.images.corrupted.share == 1.0


def test_feed_forwards_and_residuals_are_swept_by_layer_and_by_number(ablated: Runs) -> None:
    result, stand_in = ablated(lambda *_: "unchanged", sweep=("residual", "feed-forward"))
    assert {label for _, _, label in stand_in.drawn} == {"ff 2", "ff 9", "residual 2", "residual 9"}
    assert [sweep.sweep for sweep in result.sweeps] == ["feed-forward", "residual"]
    assert result.sweeps[0].total.images.unchanged.share == 1.0


def test_interactions_are_among_the_strongest_heads(ablated: Runs) -> None:
    def two_help(variant: Variant, text: str, seed: int) -> str:
        return "mitigated" if variant.label in ("2.1", "9.1", "2.1 + 9.1") else "unchanged"

    result, _ = ablated(two_help, sweep=("interactions",))
    found = result.interactions[0]
    assert found.heads == ((2, 1), (9, 1))
    assert found.pairs[0].value == -1.0
    assert found.clusters == (((2, 1), (9, 1)),)
    nothing, _ = ablated(lambda *_: "unchanged", sweep=("interactions",), edit_steps=(1, 1))
    assert nothing.interactions[0].pairs == ()


def all_three_help(variant: Variant, text: str, seed: int) -> str:
    """Three heads mitigate only together; head 0 of layer 2 alone mitigates the image of seed 1."""
    if {"2.0", "2.1", "2.3"} <= set(variant.label.split(" + ")):
        return "mitigated"
    return "mitigated" if "2.0" in variant.label and seed == 1 else "unchanged"


def test_sets_of_heads_are_chosen_on_other_prompts_and_all_are_tried(ablated: Runs) -> None:
    result, stand_in = ablated(all_three_help, sweep=("sets",), set_heads=3)
    found = result.sets[0]
    assert [(half.chosen_on, half.reported_on) for half in found.halves] == [
        (("pair",), ("pots",)),
        (("pots",), ("pair",)),
    ]
    half = found.halves[0]
    assert half.heads == ((2, 0), (2, 1), (2, 2))
    assert half.greedy[0] == (2, 0)
    assert [size.size for size in found.sizes] == [1, 2, 3]
    assert found.sizes[0].best.value == pytest.approx(1 / 3)
    assert (found.sizes[0].best_images.mitigated.count, found.sizes[0].best_images.n) == (2, 6)
    sets = {label for _, _, label in stand_in.drawn if " + " in label}
    assert sets == {"2.0 + 2.1", "2.0 + 2.2", "2.1 + 2.2", "2.0 + 2.1 + 2.2"}
    assert result.sweeps[0].total.images.n == 4 * 6
    assert result.sweeps[0].variants == ()

    again, stand_in = ablated(all_three_help, sweep=("heads", "sets"), set_heads=4)
    assert found.by_prompt["pair"].single == pytest.approx(1 / 3)
    assert again.sets[0].by_prompt["pair"].best == 1.0
    assert {label for _, _, label in stand_in.drawn} & sets == set()
    assert sum(" + " in label for _, _, label in stand_in.drawn) == 6 * (11 - 4)


def test_sets_resume_after_a_kill(ablated: Runs) -> None:
    asked: dict[str, Any] = {"sweep": ("sets",), "set_heads": 3, "drawing": Drawing((1,)), "machine": Machine("cpu", 4)}
    whole, _ = ablated(all_three_help, **asked)
    count = whole.edited.images
    assert count == 2 * (8 + 4)
    ablated.folder = ablated.folder.with_name("killed")
    stopped: list[int] = []

    def dying(variant: Variant, text: str, seed: int) -> str:
        stopped.append(seed)
        return "interrupted" if len(stopped) > count - 6 else all_three_help(variant, text, seed)

    with pytest.raises(KeyboardInterrupt):
        ablated(dying, **asked)
    resumed, stand_in = ablated(all_three_help, **asked)
    assert len(stand_in.drawn) == 8, "all single heads and no more were finished"
    assert printed(resumed)["sets"] == printed(whole)["sets"]


def test_where_nothing_can_be_held_out_no_head_is_tried(ablated: Runs) -> None:
    alone = replace(SUITE, prompts=SUITE.prompts[:2])
    with pytest.raises(InputError, match="the sweep sets chooses heads on one half of the prompts"):
        ablated(all_three_help, alone, sweep=("heads", "sets"))
    assert not ablated.folder.exists()
    result, _ = ablated(all_three_help, alone, sweep=SWEEPS)
    assert "only one prompt has collapsed images" in result.notes[0]
    assert (result.sets, result.sweeps[-1].total.images.n) == ((), 0)


def test_sets_without_a_score_are_left_out(ablated: Runs) -> None:
    def sometimes(variant: Variant, text: str, seed: int) -> str:
        return "broken" if variant.label == "2.0 + 2.1" and (seed == 2 or "two" in text) else "unchanged"

    result, _ = ablated(sometimes, sweep=("sets",), set_heads=2)
    assert "no prompt of either half has an image that is scored under every set" in result.notes[0]
    assert result.sets[0].sizes == ()


def test_rebalancing_is_tried_on_all_images_by_interval(ablated: Runs) -> None:
    def early(variant: Variant, text: str, seed: int) -> str:
        assert isinstance(variant.edit, Rebalancing)
        return "mitigated" if variant.label in ("0", "all") and seed == 1 else "unchanged"

    result, stand_in = ablated(early, edit="rebalance", intervals=1, layers=None)
    rows = {window.steps: (window.collapsed.count, window.collapsed.n) for window in result.windows}
    assert rows == {"none": (6, 6), "0": (4, 6), "1": (6, 6), "all": (4, 6)}
    assert [window.outcomes.mitigated.count for window in result.windows if window.outcomes] == [2, 0, 2]
    # The variants of one image lie side by side.
    assert [entry[:2] for entry in stand_in.drawn] == sorted(entry[:2] for entry in stand_in.drawn)


def test_an_image_that_cannot_be_made_is_unscored_and_tried_again(ablated: Runs) -> None:
    def sometimes(variant: Variant, text: str, seed: int) -> str:
        return "broken" if seed == 2 else "mitigated"

    result, _ = ablated(sometimes)
    assert result.unscored == result.sweeps[0].total.images.unscored == result.sweeps[0].total.images.n // 2
    healed, stand_in = ablated(second_head_helps)
    assert {seed for _, seed, _ in stand_in.drawn} == {2}
    assert healed.unscored == 0


def test_where_nothing_collapses_there_is_nothing_to_mitigate(ablated: Runs, tiny_model: Path, tmp_path: Path) -> None:
    judge = ScriptedJudge(lambda image, question: 1.0)
    for edit in ("ablate", "rebalance"):
        chosen = AblationOptions(edit=edit, drawing=Drawing((1,)), machine=CPU)
        result = ablation_suite.ablate_suite(SUITE, str(tiny_model), judge, tmp_path / edit, chosen)
        assert result.notes[0] == "none of the 2 scored unedited images collapses, so there is nothing to mitigate"
        assert (result.sweeps, result.windows, result.edited, result.unscored) == ((), (), Edited(0, 0), 0)
    least, stand_in = ablated(second_head_helps, min_collapsed=4)
    assert "in a prompt with at least 4 collapsed images" in least.notes[0]
    assert stand_in.drawn == []


@pytest.mark.parametrize(
    ("suite", "options", "message"),
    [
        (Suite("empty", ()), {}, "no prompts"),
        (Suite("single", SUITE.prompts[1:2]), {}, "the suite 'single' has no prompt with two concepts"),
        (SUITE, {"layers": (17,)}, "the model has no attention layer 17; give numbers from 1 to 16"),
        (
            SUITE,
            {"layers": (99,), "sweep": ("residual",)},
            "the model has no residual branch 99; give numbers from 1 to 22",
        ),
        (SUITE, {"sweep": ("sets",), "set_heads": 5, "layers": (9,)}, "set-heads is 5, but the layers have 4 heads"),
        (SUITE, {"edit_steps": (0, 2)}, "there are only 2 steps; give steps from 0 to 1"),
    ],
)
def test_bad_input_writes_nothing(ablated: Runs, suite: Suite, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ablated(second_head_helps, suite, **options)
    assert not ablated.folder.exists()


def test_a_folder_of_another_run_is_refused(ablated: Runs, tiny_model: Path) -> None:
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.audit.run import audit

    audit(
        SUITE, str(tiny_model), ScriptedJudge(opinion), ablated.folder, AuditOptions(drawing=Drawing((1,)), machine=CPU)
    )
    with pytest.raises(RunError, match="the origin of images 'audit', not 'ablate'"):
        ablated(second_head_helps)


def test_variants_drawn_together_are_those_drawn_alone(tiny_model: Path) -> None:
    model = VariantModel(PipelineModel(load_pipeline(str(tiny_model), "cpu")))
    settings = GenerationSettings(steps=3, guidance=5.0)
    variants = [
        Variant("a", Ablation(sites=range(1, 17), steps=None), None),
        Variant("b", Ablation(residuals=[3, 9], steps=[2]), None),
        Variant("c", Rebalancing(["tower", "mug"], [1, 2]), None),
    ]
    texts, seeds = ["a tower and a mug"] * 3, [4, 4, 4]
    together = model.generate(texts, seeds, variants, settings)
    for picture, variant in zip(together, variants, strict=True):
        alone = model.generate(texts[:1], seeds[:1], [variant], settings)[0]
        assert np.abs(np.asarray(picture, dtype=int) - np.asarray(alone, dtype=int)).max() <= 1
