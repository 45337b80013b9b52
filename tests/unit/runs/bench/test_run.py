"""Building a bench: what is kept, that nothing is made twice, that stopping early or being killed changes nothing."""

import dataclasses
import functools
import json
import random
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from measured_pictures import check_same_as_score, tiny_measuring
from PIL import Image

import dominance.runs.bench.run as building
from dominance.documents import printed
from dominance.errors import InputError, RunError
from dominance.judges.picture_scores import Encoders
from dominance.judges.protocol import ScriptedJudge
from dominance.miniature.concepts import BY_NAME
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import ModelFolder
from dominance.models.settings import GenerationSettings
from dominance.records import Prompt, Question
from dominance.report.bench.page import write_bench
from dominance.runs.audit.result import read_result
from dominance.runs.bench.candidates import BALANCED, Candidate, candidate_streams, content_words
from dominance.runs.bench.estimate import estimate_bench
from dominance.runs.bench.options import BenchOptions
from dominance.runs.bench.result import BenchResult, bench_suite, document_of, read_bench
from dominance.runs.bench.run import build_bench, make_shelves
from dominance.runs.bench.selection import Caps, Shelf
from dominance.runs.bench.trial import CandidateTrial
from dominance.runs.bench.workshop import Outcome
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.suites.pools import load_pools

NAMES = tuple(BY_NAME)
OPTIONS = BenchOptions(target=4, pools="miniature", machine=Machine(batch=16))


class PaintingModel:
    """Paints which concepts are present as bits of one colour; a text decides how often which of its concepts is."""

    def __init__(self) -> None:
        self.made: Counter[tuple[str, int]] = Counter()
        self.stop_after: int | None = None

    def generate(self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings) -> list[Image.Image]:
        if self.stop_after is not None and sum(self.made.values()) >= self.stop_after:
            raise KeyboardInterrupt
        self.made.update(zip(texts, seeds, strict=True))
        return [Image.new("RGB", (4, 4), self.paint(text, seed)) for text, seed in zip(texts, seeds, strict=True)]

    def reading(self, prompt: Prompt) -> None:
        """It does not say."""

    def paint(self, text: str, seed: int) -> tuple[int, int, int]:
        rng = random.Random(f"{text} {seed}")
        named = [name for name in NAMES if name in text.split()]
        habit = zlib.crc32(text.encode()) % 4
        shown = {0: named[:1], 1: named[1:], 2: named, 3: rng.choice([named, named[:1], []])}[habit]
        if rng.random() < 0.15:
            shown = []
        bits = sum(1 << NAMES.index(name) for name in shown)
        return (bits & 255, bits >> 8, 0)


def see(image: Image.Image, question: Question) -> float:
    low, high, _ = image.getpixel((0, 0))
    return float((low | high << 8) >> NAMES.index(question.concept) & 1)


class PaintedFolder(ModelFolder):
    """A model without a folder."""

    scheduler = "Painted"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> PaintingModel:
    model = PaintingModel()
    defaults = {"steps": 2, "guidance": 3.0}
    folder = PaintedFolder("painted", Path(), "sha256:painted", defaults)
    monkeypatch.setattr(building, "find_source", lambda name, revision=None: folder)
    monkeypatch.setattr(RunModel, "__call__", lambda _: model)
    return model


@pytest.fixture
def judge() -> ScriptedJudge:
    return ScriptedJudge(see)


def content(bench: BenchResult) -> dict[str, object]:
    document = printed(document_of(bench))
    return {name: document[name] for name in ("streams", "prompts", "stopped", "complete")}


def test_a_bench_holds_what_was_asked_for(model: PaintingModel, judge: ScriptedJudge, tmp_path: Path) -> None:
    told: list[str] = []
    bench = build_bench("painted", judge, tmp_path / "b", OPTIONS, told.append)
    assert bench.complete
    assert bench.stopped is None
    assert [(e.kept.part, e.kept.category) for e in bench.entries[:4]] == [("dominance", "landmark")] * 2 + [
        ("dominance", "character")
    ] * 2
    assert len(bench.part(BALANCED)) == 4
    for entry in bench.part("dominance"):
        same_way = [image for image in entry.result.images if entry.direction in image.collapses]
        assert entry.agreeing == len(same_way) >= 7
        assert len(entry.result.images) == 10
        assert entry.result.verdict == "dominance"
        assert entry.result.dominating == entry.direction[0]
    for entry in bench.part(BALANCED):
        assert entry.agreeing == entry.result.balanced >= 7
        assert entry.direction is None
    assert len({content_words(e.result.prompt.text) for e in bench.part("dominance")}) == 4
    assert "landmark 2/2" in told[-1]
    assert "balanced 4/4" in told[-1]
    assert "yield" in told[-1]


def test_a_bench_is_a_run_folder_whose_report_can_be_written_again(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    bench = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    result = read_result(tmp_path / "b")
    assert result.prompts == bench.run.prompts
    assert [group.name for group in result.groups] == ["dominance", "balanced"]
    assert result.manifest["model"]["identity"] == "sha256:painted"
    assert content(read_bench(tmp_path / "b")) == content(bench)


def test_no_image_is_made_twice_and_a_second_build_makes_none(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    bench = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert set(model.made.values()) == {1}
    made = dict(model.made)
    again = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert model.made == made
    assert content(again) == content(bench)


def test_hopeless_candidates_are_dropped_early_and_the_same_are_kept_as_from_all_their_images(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    bench = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert {4, 10} <= set(Counter(text for text, _ in model.made).values()) <= {4, 7, 10}
    streams = candidate_streams(load_pools("miniature"), ("landmark", "character"), 0)
    pools = load_pools("miniature")
    for name, shelf in make_shelves(OPTIONS, pools, ("landmark", "character")).items():
        for c in streams[name]:
            if shelf.has_room(c) and agreeing_by_hand(model, c, name) >= 7:
                shelf.keep(c)
        part = BALANCED if name == BALANCED else "dominance"
        kept = [e.kept.id for e in bench.part(part) if part == BALANCED or e.kept.category == name]
        assert kept == [c.prompt.id for c in shelf.kept]


def agreeing_by_hand(model: PaintingModel, candidate: Candidate, stream: str) -> int:
    """What all ten images say, counted from their colours."""
    shown = Counter()
    for seed in range(10):
        low, high, _ = model.paint(candidate.prompt.text, seed)
        shown[tuple((low | high << 8) >> NAMES.index(c.name) & 1 for c in candidate.prompt.concepts)] += 1
    return shown[1, 1] if stream == BALANCED else max(shown[1, 0], shown[0, 1])


@pytest.mark.parametrize("stop_after", [0, 33, 100])
def test_a_killed_build_ends_like_one_that_was_not(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path, stop_after: int
) -> None:
    whole = build_bench("painted", judge, tmp_path / "whole", OPTIONS)
    made = dict(model.made)
    model.made.clear()
    model.stop_after = stop_after
    with pytest.raises(KeyboardInterrupt):
        build_bench("painted", judge, tmp_path / "broken", OPTIONS)
    with pytest.raises(RunError, match=r"the bench in .* is not finished; run its"):
        read_bench(tmp_path / "broken")
    model.stop_after = None
    resumed = build_bench("painted", judge, tmp_path / "broken", OPTIONS)
    assert content(resumed) == content(whole)
    assert model.made == made


def test_similarity_of_the_kept_prompts_is_measured_later_dominance_beside_balanced(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, measuring = tmp_path / "b", tiny_measuring(tmp_path)
    plain = build_bench("painted", judge, folder, OPTIONS)
    assert {part: [each.measure for each in own] for part, own in plain.measures.items()} == {
        "dominance": ["soft_presence", "harsh_presence"],
        "balanced": ["soft_presence", "harsh_presence"],
    }
    write_bench(plain, folder)
    assert "similarity and quality" not in (folder / "CARD.md").read_text()
    made, how = dict(model.made), dataclasses.replace(OPTIONS, measuring=measuring)

    bench = build_bench("painted", judge, folder, how)
    assert (content(bench), model.made) == (content(plain), made)
    images = {part: [i for e in bench.part(part) for i in e.result.images] for part in ("dominance", BALANCED)}
    files = [(folder / str(image.file), image.scores) for own in images.values() for image in own]
    assert len(files) == 80
    check_same_as_score(files, folder / "images", bench_suite(bench), measuring, tmp_path / "score")
    for part, own in images.items():
        mean = next(each for each in bench.measures[part] if each.measure == "image_text")
        assert mean.mean == pytest.approx(sum(image.scores.image_text for image in own if image.scores) / 40)
        assert mean.images == 40
    write_bench(bench, folder)
    card = (folder / "CARD.md").read_text()
    assert "| measure | dominance | balanced | what it is |" in card
    assert f"| measuring similarity | {measuring.similarity} |" in card
    assert 'id="measures"' in (folder / "contact.html").read_text()
    assert len(json.loads((folder / "bench.json").read_text())["measures"]["balanced"]) == 6

    monkeypatch.setattr(Encoders, "score", None)  # nothing is left to measure
    again = build_bench("painted", judge, folder, how)
    assert again.measures == bench.measures == read_bench(folder).measures
    with Ledger(folder / "run.sqlite") as ledger:
        assert len(ledger.measured()) == 80, "no candidate that was not kept"


@pytest.mark.parametrize("at_once", [1, 50])
def test_what_is_kept_does_not_depend_on_how_many_are_tried_at_once(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    monkeypatch.setattr(building, "CandidateTrial", functools.partial(CandidateTrial, at_once=at_once))
    other = build_bench("painted", judge, tmp_path / "other", OPTIONS)
    assert [entry.kept for entry in other.entries] == [entry.kept for entry in bench.entries]


def test_the_cap_spreads_over_concepts_and_objects(model: PaintingModel, judge: ScriptedJudge, tmp_path: Path) -> None:
    options = dataclasses.replace(OPTIONS, target=6, cap=1)
    bench = build_bench("painted", judge, tmp_path / "b", options)
    for category in ("landmark", "character"):
        entries = [e for e in bench.part("dominance") if e.kept.category == category]
        assert max(Counter(e.kept.concept for e in entries).values()) == 1
        assert max(Counter(e.kept.object for e in entries).values()) == 1
    named = Counter(name for e in bench.part(BALANCED) for name in (e.kept.concept, e.kept.object))
    assert max(named.values()) == 1
    with pytest.raises(InputError, match="3 concepts and 8 objects, with at most 1 prompts each"):
        build_bench("painted", judge, tmp_path / "c", dataclasses.replace(OPTIONS, target=8, cap=1))
    assert not (tmp_path / "c").exists()


def test_a_limit_ends_early_says_what_is_missing_and_can_be_raised(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    options = dataclasses.replace(OPTIONS, limit=5)
    bench = build_bench("painted", judge, tmp_path / "b", options)
    assert len({text for text, _ in model.made}) == 5
    assert not bench.complete
    assert bench.stopped.endswith("prompts are missing: the limit of candidates was reached")
    assert "4 of 4 balanced" in bench.stopped
    raised = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert raised.complete
    assert set(model.made.values()) == {1}


def test_pools_that_run_out_say_what_is_missing(model: PaintingModel, judge: ScriptedJudge, tmp_path: Path) -> None:
    pools = tmp_path / "few.yaml"
    pools.write_text('landmarks: [a tower]\nobjects: [a mug, a lamp]\nstyles: {and: "{a} and {b}"}\n')
    bench = build_bench("painted", judge, tmp_path / "b", dataclasses.replace(OPTIONS, pools=str(pools), target=3))
    assert not bench.complete
    assert "no candidates are left" in bench.stopped
    assert all(tally.tried <= tally.candidates for tally in bench.tallies)


def test_a_stream_that_never_qualifies_is_given_up_and_one_that_does_is_not() -> None:
    def stream(kind: str) -> list[Candidate]:
        return [
            Candidate(Prompt(f"{kind}{n}", f"{kind}{n}", ()), kind, "and", f"c{n}", f"o{n}", frozenset({f"{kind}{n}"}))
            for n in range(5000)
        ]

    streams = {"landmark": stream("landmark"), "character": stream("character")}
    shelves = {name: Shelf(name, 50, Caps(1, 1)) for name in streams}
    trial = CandidateTrial(streams, shelves, needed=7)

    def attempt(wave: Sequence[tuple[str, Candidate]]) -> dict[tuple[str, str], Outcome]:
        return {
            (name, c.prompt.id): Outcome(7 * (name == "character" and c.prompt.id.endswith("7")), undecided=False)
            for name, c in wave
        }

    trial.run(attempt, lambda line: None)
    landmark, character = trial.tallies()
    assert (character.kept, character.tried) == (50, 498), "one in ten qualifies"
    assert 100 <= landmark.tried < 500
    assert trial.stopped() == (
        "50 of 50 landmark prompts are missing: too few candidates qualified to continue (landmark)"
    )


def test_the_yield_is_of_what_was_tried_before_a_cap_left_anything_out() -> None:
    """Every second candidate qualifies, but of its concept only two are kept, and then none is tried."""
    stream = [
        Candidate(
            Prompt(f"p{n}", f"p{n}", ()), "landmark", "and", "poor" if n % 2 else "good", f"o{n}", frozenset({f"p{n}"})
        )
        for n in range(40)
    ]
    trial = CandidateTrial({"landmark": stream}, {"landmark": Shelf("landmark", 5, Caps(2, 9))}, needed=7, at_once=4)
    unscored = {"p0": Outcome(0, undecided=True)}

    def attempt(wave: Sequence[tuple[str, Candidate]]) -> dict[tuple[str, str], Outcome]:
        met = {c.prompt.id: Outcome(7 * (c.concept == "good"), undecided=False) for _, c in wave} | unscored
        return {(name, c.prompt.id): met[c.prompt.id] for name, c in wave}

    trial.run(attempt, lambda line: None)
    (tally,) = trial.tallies()
    assert (tally.tried, tally.qualified, tally.kept) == (24, 3, 2)
    assert (tally.open_qualified, tally.open_tried) == (3, 7), "p1 to p7; p0 has no outcome"
    assert tally.share == pytest.approx(3 / 7)
    earlier = dataclasses.replace(tally, open_tried=None, open_qualified=None)
    assert earlier.share == pytest.approx(3 / 24)


def test_a_bench_of_which_nothing_was_kept_is_still_whole(
    model: PaintingModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = ScriptedJudge(lambda image, question: 0.0)
    bench = build_bench("painted", blind, tmp_path / "b", dataclasses.replace(OPTIONS, limit=9))
    assert (bench.entries, bench.run.prompts) == ((), ())
    assert {tally.qualified for tally in bench.tallies} == {0}
    assert read_bench(tmp_path / "b").stopped == bench.stopped


def test_one_image_that_cannot_be_judged_leaves_its_candidate_undecided_until_it_is(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    whole = build_bench("painted", judge, tmp_path / "whole", OPTIONS)
    victim = whole.part("dominance")[0]
    colour = {model.paint(victim.result.prompt.text, seed) for seed in range(10)} - {(0, 0, 0)}

    def doubtful(image: Image.Image, question: Question) -> float | None:
        return None if image.getpixel((0, 0)) in colour else see(image, question)

    unsure = build_bench("painted", ScriptedJudge(doubtful), tmp_path / "b", dataclasses.replace(OPTIONS, limit=8))
    assert sum(tally.undecided for tally in unsure.tallies) >= 1
    assert "lack images or answers: run the same command again" in unsure.stopped
    resumed = build_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert content(resumed) == content(whole)


def test_a_wave_without_any_answer_is_undecided_once_the_bench_has_some(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "CandidateTrial", functools.partial(CandidateTrial, at_once=1))
    whole = build_bench("painted", judge, tmp_path / "whole", OPTIONS)

    def shy(image: Image.Image, question: Question) -> float | None:
        return see(image, question) if question.concept in ("tower", "mug", "lamp") else None

    for _ in range(2):
        bench = build_bench("painted", ScriptedJudge(shy), tmp_path / "b", dataclasses.replace(OPTIONS, limit=12))
        assert sum(tally.undecided for tally in bench.tallies) > 0
        assert "lack images or answers: run the same command again" in bench.stopped
    assert content(build_bench("painted", judge, tmp_path / "b", OPTIONS)) == content(whole)


def test_a_judge_that_answers_nothing_stops_the_build(model: PaintingModel, tmp_path: Path) -> None:
    mute = ScriptedJudge(lambda image, question: None)
    with pytest.raises(RunError, match=r"none of \d+ images could be made and judged \(the judge gave no answer\)"):
        build_bench("painted", mute, tmp_path / "b", OPTIONS)


def test_a_folder_of_another_bench_or_run_is_refused(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    build_bench("painted", judge, tmp_path / "b", dataclasses.replace(OPTIONS, limit=5))
    for change, words in (
        ({"target": 6}, "a bench with target 4, not 6"),
        ({"order_seed": 1}, "a bench with order_seed 0, not 1"),
        ({"drawing": Drawing(seeds=(0, 1, 2))}, r"a bench with seeds \[0, 1, .* 9\], not \[0, 1, 2\]"),
        ({"styles": ("and",)}, "a bench with pools_identity"),
    ):
        with pytest.raises(RunError, match=words):
            build_bench("painted", judge, tmp_path / "b", dataclasses.replace(OPTIONS, **change))
    other = ScriptedJudge(see, identity="other")
    with pytest.raises(RunError, match="a bench with judge 'scripted', not 'other'"):
        build_bench("painted", other, tmp_path / "b", OPTIONS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": 0}, "target is 0; give a whole number from 1"),
        ({"target": 1}, "target is 1 for 2 categories"),
        ({"cap": 0}, "cap is 0"),
        ({"limit": 0}, "limit is 0"),
        ({"order_seed": -1}, "order-seed is -1"),
        ({"categories": ("artist",)}, "the pools 'miniature' have no artist; give --categories landmark, character"),
        ({"categories": ("wizard",)}, "the category 'wizard' does not exist; give some of artist, landmark, character"),
        ({"categories": ()}, "no category; give some of"),
        ({"styles": ("beside", "titles")}, "no caption style 'titles'"),
        ({"pools": "nowhere"}, "no pools 'nowhere'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_made(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path, change: dict, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        build_bench("painted", judge, tmp_path / "b", dataclasses.replace(OPTIONS, **change))
    assert not (tmp_path / "b").exists()
    assert not model.made


class Labels(ScriptedJudge):
    """A judge that knows images by name alone."""

    def check_images(self, names: Sequence[object], questions: Sequence[Question]) -> None:
        raise AssertionError("no image was to be named")

    def answer_named(self, images: Sequence[object], questions: Sequence[object]) -> list:
        raise AssertionError("no image was to be judged")


def test_labels_of_images_that_are_yet_to_be_made_are_refused(model: PaintingModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the judge scripted holds answers about existing images"):
        build_bench("painted", Labels(see), tmp_path / "b", OPTIONS)
    assert not (tmp_path / "b").exists()


def test_styles_without_a_template_for_a_kind_are_refused(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    options = BenchOptions(target=3, styles=("title",))
    with pytest.raises(InputError, match="no chosen caption style has a template for the kind object"):
        build_bench("painted", judge, tmp_path / "b", options)


def test_an_estimate_bounds_what_is_drawn_and_draws_asks_and_writes_nothing(
    model: PaintingModel, tmp_path: Path
) -> None:
    def refuse(image: Image.Image, question: Question) -> float:
        raise AssertionError(f"was asked {question.text}")

    found = estimate_bench("painted", ScriptedJudge(refuse), tmp_path / "b", OPTIONS)
    assert (found.prompts, found.images_first, found.images_each) == (8, 4, 10)
    assert found.most.images_to_draw == found.candidates * 10
    assert not model.made
    assert not (tmp_path / "b").exists()
    build_bench("painted", ScriptedJudge(see), tmp_path / "b", OPTIONS)
    assert found.least.images_to_draw <= sum(model.made.values()) <= found.most.images_to_draw
    assert found.least.questions_to_ask == 10 * found.least.images_to_draw
    assert found.least.denoising_steps == 2 * found.least.images_to_draw


@pytest.mark.parametrize("after", [1, 30, 90])
def test_an_estimate_of_what_is_left_counts_what_is_there(
    after: int, model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    model.stop_after = after
    with pytest.raises(KeyboardInterrupt):
        build_bench("painted", judge, tmp_path / "b", OPTIONS)
    there = sum(model.made.values())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("*")}
    found = estimate_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("*")} == before
    assert found.least.images_there == there
    model.stop_after = None
    build_bench("painted", judge, tmp_path / "b", OPTIONS)
    left = sum(model.made.values()) - there
    assert found.least.images_to_draw <= left <= found.most.images_to_draw
    finished = estimate_bench("painted", judge, tmp_path / "b", OPTIONS)
    assert [each.images_to_draw for each in (finished.least, finished.most)] == [0, 0]
    assert [each.questions_to_ask for each in (finished.least, finished.most)] == [0, 0]
    assert finished.found == 8


def test_an_estimate_of_candidates_that_all_qualify_is_that_of_the_prompts_and_a_first_look_at_their_neighbours(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    found = estimate_bench("painted", judge, tmp_path, OPTIONS)
    tried, rest = divmod(found.least.images - 10 * found.prompts, 4)
    assert (found.found, rest) == (8, 0)
    assert 0 <= tried < 3 * 8, "no stream tries more than eight at once"


def test_an_estimate_with_a_limit_is_within_it_and_the_folder_of_another_bench_is_refused(
    model: PaintingModel, judge: ScriptedJudge, tmp_path: Path
) -> None:
    limited = dataclasses.replace(OPTIONS, limit=5)
    found = estimate_bench("painted", judge, tmp_path / "b", limited)
    assert found.candidates == 5
    assert (found.least.images_to_draw, found.found, found.most.images_to_draw) == (5 * 4, 0, 5 * 10)
    build_bench("painted", judge, tmp_path / "b", limited)
    assert 5 * 4 <= sum(model.made.values()) <= 5 * 10
    assert estimate_bench("painted", judge, tmp_path / "b", limited).most.images_to_draw == 0
    assert estimate_bench("painted", judge, tmp_path / "b", OPTIONS).least.images_to_draw > 0
    with pytest.raises(RunError, match="holds a bench with target 4, not 6"):
        estimate_bench("painted", judge, tmp_path / "b", dataclasses.replace(OPTIONS, target=6))
