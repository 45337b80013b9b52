"""Independent and factorial designs, twins, overlap, losses and training on results made by hand: every verdict."""

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from claims import FOLDER, judged, made
from PIL import Image
from tiny_judges import save_clip

import dominance
from dominance.judges.measuring import Measuring
from dominance.judges.picture_scores import Encoders
from dominance.measures import PictureScores
from dominance.records import Concept, Prompt, PromptResult, Rate
from dominance.reproduce.claims import factorial, losses, overlap_presence, trained, trainings
from dominance.reproduce.claims.categories import CLAIM as CATEGORIES
from dominance.reproduce.claims.claim import verdict_of
from dominance.reproduce.claims.independent import CLAIM as INDEPENDENT
from dominance.reproduce.claims.similarity import scores_of, similarity_figures
from dominance.reproduce.claims.twins import CLAIM as TWINS
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.kept import kept_each
from dominance.reproduce.rigidity import Rivals
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt, Shot
from dominance.runs.reproduction.result import Finding
from dominance.runs.reproduction.rule import Verdict
from dominance.runs.stages.scoring import score_groups

ENTITY_WINS, OBJECT_WINS, BOTH = [(5, 0), (5, 1)], [(0, 5), (1, 5)], [(5, 5), (4, 5)]


def run_of(prompts: list[PromptResult], name: str = "independent") -> SimpleNamespace:
    return SimpleNamespace(
        prompts=tuple(prompts), groups=score_groups(tuple(prompts)), run=str(FOLDER / name), model="twin"
    )


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [(ENTITY_WINS, "reproduced"), (OBJECT_WINS, "contradicted"), ([(5, 0), (0, 5)], "undecided")],
)
def test_the_entity_takes_over_or_not(counts: list[tuple[int, int]], verdict: Verdict) -> None:
    prompts = [judged(f"p{place}", "landmark", counts) for place in range(8)]
    finding = INDEPENDENT.examine(made(independent=run_of(prompts)))
    assert verdict_of(finding, INDEPENDENT.rule) == verdict
    assert finding.n == 8


def twins(first: list[tuple[int, int]], second: list[tuple[int, int]], rigid_in_first: bool = True) -> Experiments:
    """Six entities, each in two prompts, rigid in one of two models."""

    def drawn(counts: list[tuple[int, int]]) -> list[PromptResult]:
        return [judged(f"p{one}{number}", "landmark", counts, f"e{one}") for one in range(6) for number in range(2)]

    names = [f"e{one}" for one in range(6)]
    diversities = (dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0))
    return made(
        independent=run_of(drawn(first)),
        twin_independent=run_of(drawn(second), "twin"),
        rivals=Rivals("twin", "base", *(diversities if rigid_in_first else diversities[::-1])),
    )


@pytest.mark.parametrize(
    ("first", "second", "rigid_in_first", "verdict"),
    [
        (ENTITY_WINS, BOTH, True, "reproduced"),
        (ENTITY_WINS, BOTH, False, "contradicted"),
        (BOTH, BOTH, True, "undecided"),
    ],
)
def test_uniform_pictures_make_it_dominate_or_not(
    first: list[tuple[int, int]], second: list[tuple[int, int]], rigid_in_first: bool, verdict: Verdict
) -> None:
    finding = TWINS.examine(twins(first, second, rigid_in_first))
    assert verdict_of(finding, TWINS.rule) == verdict
    assert (finding.n, finding.of) == (6, "entities")


def test_twins_of_the_same_training_say_nothing() -> None:
    alike = dict.fromkeys([f"e{one}" for one in range(6)], 0.0)
    experiments = made(rivals=Rivals("twin", None, alike, alike))  # and no run, since none is needed to say so
    with pytest.raises(ImpossibleError, match="no entity is rigid in one"):
        TWINS.examine(experiments)


@pytest.mark.parametrize("examine", [TWINS.examine, trainings.examine])
def test_without_a_second_model_nothing_is_drawn(examine: Callable[[Experiments], Finding]) -> None:
    class Alone:
        rivals = Rivals(None, None, {}, {})

        @property
        def twin_independent(self) -> None:
            raise ImpossibleError("give --other")

        other_independent = twin_independent

        @property
        def independent(self) -> None:
            raise AssertionError("the suite was drawn")

    with pytest.raises(ImpossibleError, match="give --other"):
        examine(Alone())  # ty: ignore[invalid-argument-type]


def test_where_kinds_stand_for_rigidity_the_finding_says_so() -> None:
    plain = factorial_run(0.4, -0.3)
    said = made(factorial=plain.factorial, kinds_stand_in=True)
    for examine in (factorial.examine_own, factorial.examine_rivals):
        assert "kind and rigidity go together" not in examine(plain).why
        assert "kind and rigidity go together" in examine(said).why


def factorial_run(own: float, rivals: float, models: int = 2, each: int = 3) -> Experiments:
    """Survival of one half, moved by a concept's own rigidity and by its rivals', in a model and in its twin.

    Args:
        each: rigid concepts, and as many varied ones; the twin has them the other way round.
    """
    names = [f"r{n}" for n in range(each)], [f"v{n}" for n in range(each)]
    runs = []
    for turned in range(models):
        diversity = {name: float(side ^ turned) for side, listed in enumerate(names) for name in listed}
        prompts = []
        for number, (turn, cell) in enumerate(itertools.product(range(each), itertools.product((0, 1), repeat=3))):
            listed = [names[side][(slot + turn) % each] for slot, side in enumerate(cell)]
            rigid = [diversity[name] == 0 for name in listed]
            shown = {
                name: Rate(
                    round(1000 * (0.5 + own * (rigid[slot] - 0.5) + rivals * (_rivals(rigid, slot) - 0.5))), 1000, None
                )
                for slot, name in enumerate(listed)
            }
            concepts = tuple(Concept(name, "landmark") for name in listed)
            prompts.append(SimpleNamespace(prompt=Prompt(f"p{number}", "text", concepts), presence=shown, scored=4))
        runs.append((SimpleNamespace(prompts=tuple(prompts)), diversity))
    return made(factorial=tuple(runs))


def _rivals(cell: Sequence[bool], slot: int) -> float:
    return (sum(cell) - cell[slot]) / 2


@pytest.mark.parametrize(
    ("own", "rivals", "verdicts"),
    [
        (0.4, -0.3, ("reproduced", "reproduced")),
        (-0.4, 0.3, ("contradicted", "contradicted")),
        (0.4, 0.0, ("reproduced", "undecided")),
    ],
)
def test_rigidity_moves_survival_or_not(own: float, rivals: float, verdicts: tuple[Verdict, Verdict]) -> None:
    experiments = factorial_run(own, rivals)
    findings = [factorial.examine_own(experiments), factorial.examine_rivals(experiments)]
    assert [finding.value for finding in findings] == pytest.approx([own, rivals], abs=0.01)
    if rivals:
        rules = (factorial.OWN, factorial.RIVALS)
        assert [verdict_of(one, rule) for one, rule in zip(findings, rules, strict=True)] == list(verdicts)
    assert len(findings[0].plots[0].groups) == 6


def test_concepts_and_prompts_are_the_units_whatever_the_models() -> None:
    run, _ = factorial_run(0.4, -0.3, each=6).factorial
    once, twice = (factorial.examine_own(made(factorial=(run,) * models)) for models in (1, 2))
    assert (twice.n, twice.of, twice.interval) == (once.n, once.of, pytest.approx(once.interval))
    assert (once.n, once.of) == (12, "concepts in 48 prompts")
    assert verdict_of(once, factorial.OWN) == "reproduced"


def test_three_rigid_concepts_of_one_model_decide_nothing() -> None:
    for examine, rule in ((factorial.examine_own, factorial.OWN), (factorial.examine_rivals, factorial.RIVALS)):
        finding = examine(factorial_run(0.4, -0.3, models=1))
        assert verdict_of(finding, rule) == "undecided"
        assert finding.why.startswith(
            "Too few concepts in 24 prompts to decide anything: at least 6 are needed in each"
        )


def overlapping(direction: float, spread: float = 0.0) -> Experiments:
    """Presence that rises with the maps' divergence, or falls, less with their intensity, and with their spread so."""
    prompts, maps = [], {}
    for place in range(24):
        there = place % 6
        prompts.append(judged(f"p{place}", "landmark", [(5, there)]))
        apart = direction * there + (place % 5) / 10
        maps[f"p{place}"] = {
            "KL": [10 + apart],
            "IoU": [10 - apart],
            "CoM": [10 + apart],
            "intensity": [10 + there + 2 * (place * 7 % 5)],
            "spread": [10 + spread * there + (place % 5) / 10 + 3 * (not spread) * (place % 4 + place // 4) % 4],
        }
    return made(independent=run_of(prompts), overlaps=maps)


@pytest.mark.parametrize(("direction", "verdict"), [(1.0, "reproduced"), (-1.0, "contradicted")])
def test_presence_goes_with_maps_apart_or_not(direction: float, verdict: Verdict) -> None:
    experiments = overlapping(direction, spread=1.0)
    finding = overlap_presence.examine_presence(experiments)
    assert verdict_of(finding, overlap_presence.PRESENCE) == verdict
    assert abs(finding.value or 0) > 0.9
    order = overlap_presence.examine_order(experiments)
    assert verdict_of(order, overlap_presence.ORDER) == verdict  # an overlap that goes the other way counts against it


def test_both_links_of_the_order_are_asked() -> None:
    """Overlap before intensity, but spread before it too: the order is contradicted by its second link."""
    order = overlap_presence.examine_order(overlapping(1.0, spread=-1.0))
    assert verdict_of(order, overlap_presence.ORDER) == "contradicted"
    links = {figure.name: figure.ours for figure in order.figures[5:]}
    assert list(links) == ["overlap less intensity", "intensity less spread", "overlap less spread"]
    assert [links[name][0] for name in list(links)[:2]] == ["+", "−"]


def test_overlap_that_says_nothing_is_not_before_spread() -> None:
    """The sizes of correlations of nothing are above 0, and their mean is above that of one alone half of the time."""
    experiments = overlapping(1.0)
    for place, own in enumerate(experiments.overlaps.values()):
        own |= {name: [float(place * step % 7)] for name, step in (("KL", 2), ("IoU", 3), ("CoM", 4), ("spread", 5))}
    order = overlap_presence.examine_order(experiments)
    assert verdict_of(order, overlap_presence.ORDER) != "reproduced"
    signs = (("KL", 1), ("IoU", -1), ("CoM", 1), ("spread", -1))
    pairs = {figure.name.split()[2]: float(figure.ours.split()[0].replace("−", "-")) for figure in order.figures[:5]}
    mean = sum(sign * pairs[name] for name, sign in signs[:3]) / 3
    assert order.value == pytest.approx(min(mean - pairs["intensity"], pairs["intensity"] + pairs["spread"]), abs=0.02)


def test_presence_that_never_differs_goes_with_nothing() -> None:
    prompts = [judged(f"p{place}", "landmark", [(5, 5)]) for place in range(6)]
    maps = {f"p{place}": {name: [float(place)] for name in overlap_presence.PAPER} for place in range(6)}
    with pytest.raises(ImpossibleError, match="the same for all"):
        overlap_presence.examine_presence(made(independent=run_of(prompts), overlaps=maps))


ONE, TWO, NONE = ("a",), ("a", "b"), ()


@pytest.mark.parametrize(
    ("plain", "excited", "steered", "verdict", "value"),
    [
        (ONE, ONE, TWO, "reproduced", 0.5),
        (NONE, ONE, TWO, "reproduced", 0.5),  # the smaller difference counts
        (TWO, ONE, ONE, "contradicted", -0.5),
        (ONE, TWO, ONE, "contradicted", -0.5),
        (ONE, TWO, TWO, "undecided", 0.0),  # better than plain alone is not better than both
        (ONE, ONE, ("b",), "undecided", 0.0),
    ],
)
def test_a_loss_must_be_better_than_plain_and_than_attend_and_excite(
    plain: tuple[str, ...], excited: tuple[str, ...], steered: tuple[str, ...], verdict: Verdict, value: float
) -> None:
    shown = {"plain": plain, KL: steered, losses.EXCITE: excited}
    experiments = steered_prompts([(f"p{place}", ("a", "b"), [shown]) for place in range(8)])
    claim = losses.CLAIMS[0]
    finding = claim.examine(experiments)
    assert verdict_of(finding, claim.rule) == verdict
    assert finding.value == value
    assert finding.pictures[0].file == "steered/images/0.png"
    assert [group.name for group in finding.plots[0].groups] == ["plain", losses.EXCITE, KL]


def test_images_without_a_score_in_one_arm_count_in_none() -> None:
    shown = {"plain": ONE, KL: TWO, losses.EXCITE: ONE}
    broken = {"plain": TWO, KL: ONE, losses.EXCITE: None}
    listed = [(f"p{place}", ("a", "b"), [shown, broken]) for place in range(8)]
    finding = losses.CLAIMS[0].examine(steered_prompts(listed))
    assert finding.value == 0.5
    assert finding.plots[0].groups[0].values == (0.5,) * 8
    with pytest.raises(ImpossibleError, match="no image could be scored"):
        losses.CLAIMS[0].examine(steered_prompts([("p", ("a", "b"), [broken])]))


def test_prompts_of_more_concepts_stand_for_themselves() -> None:
    pairs = [(f"p{n}", TWO, [{"plain": ONE, KL: TWO, losses.EXCITE: ONE}]) for n in range(6)]
    triples = [(f"t{n}", ("a", "b", "c"), [{"plain": ONE, KL: ONE, losses.EXCITE: TWO}]) for n in range(6)]
    figures = {
        figure.name: figure.ours for figure in losses.CLAIMS[0].examine(steered_prompts([*pairs, *triples])).figures
    }
    assert figures["presence (share of the concepts) less that of plain"].startswith("+50")
    assert figures["3 concepts, 6 prompts: presence, plain"] == "33%"
    assert figures["3 concepts, 6 prompts: presence, less that of plain"].startswith("+0 ")
    assert figures["3 concepts, 6 prompts: presence, less that of attend-and-excite"].startswith("−33")
    assert figures["3 concepts, 6 prompts: every concept present, plain"] == "0%"


def test_similarity_is_compared_pair_by_pair_where_a_clip_is_given() -> None:
    arms = ("plain", KL, losses.EXCITE)
    images = [
        MitigatedImage("0", {arm: Shot(f"{arm}-{n}.png", "mixed", 0.0, ONE) for arm in arms}, "plain") for n in range(6)
    ]
    prompts = tuple(MitigatedPrompt(f"p{n}", "text", None, TWO, {}, (images[n],)) for n in range(6))
    scores = {f"{arm}-{n}.png": PictureScores(image_text=0.2 + 0.1 * (arm == KL)) for arm in arms for n in range(6)}
    del scores["plain-0.png"]  # so that the others of its seed count nowhere
    figures = {f.name: f.ours for f in similarity_figures(scores, prompts, KL, ("plain", losses.EXCITE))}
    assert figures["image–text similarity, plain"] == "0.200"
    assert figures["image–text similarity less that of plain"].startswith("0.100 (0.100 to 0.100)")
    assert figures["caption–text similarity"].startswith("not possible here: no model that writes captions ships")
    none = {f.name: f.ours for f in similarity_figures({}, prompts, KL, ("plain",))}
    assert none["image–text similarity"].endswith("clip:NAME for others")


def test_scores_are_measured_of_every_image_and_kept_by_prompt(
    tmp_path: Path, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "steered").mkdir()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "steered" / "a.png")
    (tmp_path / "steered" / "broken.png").write_bytes(b"no picture")
    shots = {"plain": Shot("a.png", "mixed", 0.0, ONE), KL: Shot("broken.png", "mixed", 0.0, ONE)}
    prompts = [
        MitigatedPrompt(name, "a tower and a mug", None, ("tower", "mug"), {}, (MitigatedImage("0", shots, "plain"),))
        for name in ("p", "q")
    ]
    options = SimpleNamespace(measuring=Measuring(f"clip:{tiny_clip}"), machine=dominance.Machine(device="cpu"))
    experiments = made(options=options, folder=tmp_path, each=lambda name, *rest: kept_each(tmp_path / name, *rest))
    found = scores_of(experiments, SimpleNamespace(prompts=prompts))  # ty: ignore[invalid-argument-type]
    assert list(found) == ["a.png"]
    assert -1 <= (found["a.png"].image_text or 2) <= 1
    assert found["a.png"].caption_text is None
    assert {file.name for file in (tmp_path / "similarity").iterdir()} == {"p.json", "q.json"}
    monkeypatch.setattr(Encoders, "score", lambda *_: pytest.fail("measured again"))
    assert scores_of(experiments, SimpleNamespace(prompts=prompts)) == found  # ty: ignore[invalid-argument-type]


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip"))


KL = "overlap:loss=kl"


def steered_prompts(
    listed: Sequence[tuple[str, tuple[str, ...], Sequence[dict[str, tuple[str, ...] | None]]]],
) -> Experiments:
    """Prompts, each with its concepts and, for every image, what each arm shows; None without a score."""
    prompts = tuple(
        MitigatedPrompt(name, "text", None, concepts, {}, tuple(_steered(shown) for shown in images))
        for name, concepts, images in listed
    )
    return made(steered=SimpleNamespace(prompts=prompts, methods=()))


def _steered(shown: dict[str, tuple[str, ...] | None]) -> MitigatedImage:
    shots = {
        arm: Shot("images/0.png", None if present is None else "mixed", 0.0, present or ())
        for arm, present in shown.items()
    }
    return MitigatedImage("0", shots, "plain")


def results_file(folder: Path, falling: bool) -> Path:
    """Six concepts at five levels in one training seed."""
    levels = (1, 2, 4, 6, 8)
    none = {"only_first": 0, "both": 1, "only_second": 0, "none": 0}
    lines = []
    for subject in ("tower", "pagoda", "castle", "robot", "clown", "wizard"):
        for place, level in enumerate(levels):
            dvd = 60.0 - 10 * place if falling else 20.0 + 10 * place
            beside = {"shown": none, "dvd": dvd, "reverse": 0.0}
            known = {
                "arm": "known",
                "subject": subject,
                "level": level,
                "seed": 0,
                "base": "b",
                "judge": "j",
                "images": 1,
            }
            measured = {
                "scenery": [1, 1],
                "alone": [1, 1],
                "pairs": none,
                "diversity": 0.1,
                "copies": [0, 1],
                "loss": 0.1,
            }
            known |= {"subject_first": beside, "object_first": beside, **measured, "seconds": [1.0, 1.0]}
            lines.append(json.dumps(known))
    file = folder / "results.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize(("falling", "verdict"), [(True, "reproduced"), (False, "contradicted")])
def test_varied_training_lowers_dominance_or_not(tmp_path: Path, falling: bool, verdict: Verdict) -> None:
    finding = trained.examine(examined(results_file(tmp_path, falling)))
    assert verdict_of(finding, trained.RULE) == verdict
    assert finding.n == 6
    assert len(finding.figures) == 5
    assert finding.why.startswith("30 models taught from somebody, measured before by this judge: ")
    assert "eft out" not in finding.why


def test_series_of_one_level_and_models_of_more_images_are_left_out_and_said(tmp_path: Path) -> None:
    file = results_file(tmp_path, True)
    line = json.loads(file.read_text().splitlines()[0])
    lone, more = line | {"seed": 1}, line | {"images": 4, "level": 10}
    with file.open("a") as lines:
        lines.writelines(json.dumps(extra) + "\n" for extra in (lone, more))
    finding = trained.examine(examined(file))
    assert finding.n == 6
    assert finding.why.startswith("31 models taught from somebody")
    assert "Left out of the correlation, with one level only: tower of training seed 1." in finding.why
    assert "Left out of everything, with 4 images a prompt: 1 model." in finding.why
    assert not any("10 designs" in figure.name for figure in finding.figures)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"base": "b2"}, r"are of another base; make them"), ({"judge": "j2"}, r"are of another judge; make them")],
)
def test_results_of_another_base_or_judge_do_not_count(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    with pytest.raises(ImpossibleError, match=said) as refused:
        trained.examine(examined(results_file(tmp_path, True), **changed))
    assert "`dominance train diversity --base somebody --judge eye --results trained.jsonl" in str(refused.value)


def examined(file: Path | None, base: str = "b", judge: str = "j", world: str | None = "miniature") -> Experiments:
    """A model of this identity, seen by a judge of that one."""
    source = SimpleNamespace(name="somebody", identity=base, world=world)
    return made(options=SimpleNamespace(trained=file), source=source, judged_by=judge, judge="eye")


def test_what_nobody_trained_or_has_is_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for world, said in (("miniature", "make them with `dominance train diversity"), (None, "give --trained their")):
        with pytest.raises(ImpossibleError, match=said):
            trained.examine(examined(None, world=world))
        with pytest.raises(ImpossibleError):
            CATEGORIES.examine(made(source=SimpleNamespace(world=world)))
