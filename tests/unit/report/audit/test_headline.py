"""What the report says in words, case by case."""

from dominance.records import Gate, JudgeWarning
from dominance.report.audit.headline import gate_sentence, headline, notes
from dominance.report.parts.ranking import worst_first
from dominance.report.parts.sentences import prompt_sentence
from dominance.run_settings import RunSettings
from dominance.runs.stages.directions import directions
from golden import Golden, one_a_case

LOST_MUG, LOST_TOWER, BOTH, NEITHER = (5, 0), (0, 5), (5, 5), (0, 0)
OUT = "out of memory"


def runs(prompt_of, run_of):
    """What can become of a run, case by case."""
    taken, shown = [LOST_MUG] * 10, [BOTH] * 10
    long = "a photograph of a tower that is printed on the side of a mug which stands on a wooden table"
    landmarks, characters = prompt_of(taken, group="landmarks"), prompt_of(taken, ("robot", "lamp"), "characters")
    rows = {
        "some prompts of one group lose a concept": [
            prompt_of([LOST_MUG] * 8 + [BOTH] * 2, group="entity–object"),
            prompt_of(taken, ("robot", "lamp"), "entity–object"),
            prompt_of(shown, ("clown", "book"), "entity–object"),
            prompt_of(shown, ("book", "lamp"), "object–object"),
        ],
        "one of two loses a concept": [prompt_of(taken, group="a"), prompt_of(shown, ("book", "lamp"), "a")],
        "a single prompt": [prompt_of([LOST_TOWER])],
        "a long prompt": [prompt_of([LOST_MUG], text=long)],
        "two groups": [landmarks, characters],
        "three groups": [landmarks, characters, prompt_of(taken, ("monet", "lamp"), "artists")],
        "kinds for groups": [prompt_of(taken), prompt_of(shown, ("book", "lamp")), prompt_of(shown, group="others")],
        "some unscored": [
            prompt_of([LOST_MUG] * 7 + [BOTH, OUT, OUT], group="pairs"),
            prompt_of(shown, ("book", "lamp"), "pairs"),
            prompt_of([OUT] * 10, ("clown", "lamp"), "pairs"),
        ],
        "some collapse": [
            prompt_of([LOST_MUG] * 6 + [BOTH] * 4),
            prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp")),
        ],
        "one collapses": [prompt_of(shown), prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp"))],
        "one of one prompt collapses": [prompt_of([LOST_MUG, BOTH, BOTH])],
        "lost, and one collapses": [prompt_of([NEITHER] * 10), prompt_of([BOTH] * 9 + [LOST_TOWER], ("book", "lamp"))],
        "most collapse elsewhere": [
            prompt_of([NEITHER] * 9 + [LOST_MUG]),
            prompt_of([BOTH] * 4 + [LOST_TOWER] * 6, ("book", "lamp")),
        ],
        "gone, but not in one direction": [
            prompt_of([(5, 0, 0)] * 5 + [(0, 5, 0)] * 5, ("tower", "mug", "chair")),
            prompt_of(shown, ("castle", "lamp")),
        ],
        "nothing collapses": [prompt_of(shown), prompt_of(shown, ("book", "lamp"))],
        "nothing collapses, with a single concept": [prompt_of(shown), prompt_of([(5,)] * 10, ("lamp",))],
        "a single concept missed once": [prompt_of(shown), prompt_of([(5,)] * 9 + [(0,)], ("lamp",))],
        "a single concept missed": [prompt_of(shown), prompt_of([(0,)] * 10, ("tower",))],
        "some show nothing": [
            prompt_of([BOTH] * 2 + [NEITHER] * 8),
            prompt_of([BOTH] * 9 + [NEITHER], ("book", "lamp")),
        ],
        "both show nothing": [prompt_of([NEITHER] * 2)],
        "nothing scored": [prompt_of([OUT] * 10), prompt_of([OUT] * 2, ("book", "lamp"))],
        "no prompts": [],
        "no images": [prompt_of([])],
        "one prompt without images": [prompt_of(shown), prompt_of([], ("castle", "chair"))],
        "five prompts without images": [prompt_of([(5,)] * 2, ("a",)), *(prompt_of([], (name,)) for name in "bcdef")],
        "one single-concept prompt": [prompt_of([(5,), (0,)], ("tower",))],
    }
    singles = {"all shown": ([5] * 10, [5] * 10), "one misses": ([0] * 9 + [5], [5] * 10),
               "both miss": ([0] * 10, [0] * 9 + [5]), "one image misses": ([0] + [5] * 9, [5] * 10)}  # fmt: skip
    for name, (towers, mugs) in singles.items():
        tower = prompt_of([(count,) for count in towers], ("tower",))
        rows[f"single concepts: {name}"] = [tower, prompt_of([(count,) for count in mugs], ("mug",))]
    return {name: run_of(*prompts) for name, prompts in rows.items()}


def test_headlines_and_notes(prompt_of, run_of, golden: Golden) -> None:
    said = {name: " | ".join((headline(run), *notes(run))) for name, run in runs(prompt_of, run_of).items()}
    golden("report/headlines", one_a_case(said))


def test_unscored_prompts_leave_the_count(prompt_of, run_of):
    run = runs(prompt_of, run_of)["some unscored"]
    assert headline(run).startswith("1 of 2 scored prompts loses a concept")
    assert "12 of 30 images are unscored" in notes(run)[0]


def test_a_method_that_leaves_prompts_plain_is_named(prompt_of, run_of):
    both, alone = prompt_of([BOTH] * 2), prompt_of([(5,)] * 2, ("lamp",))
    for rows, left in (([both, alone], "regions leaves it plain."), ([alone, alone], "regions leaves them plain.")):
        said = " ".join(notes(run_of(*rows, settings=RunSettings(method="regions"))))
        assert left in said
        assert "leaves" not in " ".join(notes(run_of(*rows, settings=RunSettings(method="none"))))


def test_at_worst_is_where_most_images_collapse(prompt_of, run_of):
    run = runs(prompt_of, run_of)["most collapse elsewhere"]
    assert headline(run).endswith("at worst, lamp takes over from book in 6 of 10 images.")


def test_survival_is_claimed_only_if_every_prompt_is_scored(prompt_of, run_of):
    claimed = {name for name, run in runs(prompt_of, run_of).items() if "survives" in headline(run)}
    assert claimed == {"nothing collapses", "nothing collapses, with a single concept"}
    unscored = run_of(prompt_of([BOTH] * 10), prompt_of([OUT] * 10, ("castle", "chair")))
    assert "survives" not in headline(unscored)


DOUBTFUL_MUG, DOUBTFUL_BOTH = (5, (1, 1, 3)), (5, (4, 2, 5))
UNFIT = JudgeWarning("another world", "the judge was made for others")


def test_gates(prompt_of, run_of, golden: Golden) -> None:
    good, bad, lost = prompt_of([BOTH] * 10), prompt_of([LOST_MUG] * 10), prompt_of([NEITHER] * 10)
    assert gate_sentence(run_of(good)) is None
    limit, both_limits = Gate(max_collapse=0.2), Gate(max_collapse=0.2, min_presence=0.9)
    gates = {
        "holds": run_of(good, gate=limit),
        "fails": run_of(bad, gate=limit),
        "lets lost images pass": run_of(lost, gate=limit),
        "nothing scored": run_of(prompt_of([OUT]), gate=Gate()),
        "fails in two": run_of(bad, prompt_of([NEITHER] * 10, ("book", "lamp")), gate=Gate(min_presence=0.9)),
        "fails by doubtful answers": run_of(prompt_of([DOUBTFUL_MUG] * 3 + [BOTH] * 7), gate=both_limits),
        "would fail anyway": run_of(prompt_of([LOST_MUG] * 3 + [DOUBTFUL_MUG] * 2 + [BOTH] * 5), gate=both_limits),
        "passes by doubtful answers": run_of(prompt_of([DOUBTFUL_BOTH] * 3 + [BOTH] * 7), gate=limit),
        "unfit judge": run_of(good, gate=limit, judge_warnings=(UNFIT,)),
        "unfit judge, allowed": run_of(
            good, gate=limit, judge_warnings=(UNFIT,), settings=RunSettings(allow_unfit_judge=True)
        ),
    }
    golden("report/gates", one_a_case({name: str(gate_sentence(run)) for name, run in gates.items()}))


def test_prompt_sentences(prompt_of, golden: Golden) -> None:
    pair, three = ("tower", "mug"), ("tower", "mug", "lamp")
    cases = [
        ([LOST_MUG] * 10, pair),
        ([LOST_MUG], pair),
        ([LOST_MUG] * 3 + [LOST_TOWER], pair),
        ([LOST_MUG] * 8 + [OUT] * 2, pair),
        ([BOTH] * 10, pair),
        ([BOTH] * 9 + [LOST_MUG], pair),
        ([NEITHER] * 10, pair),
        ([NEITHER] * 5 + [BOTH] * 5, pair),
        ([OUT] * 2, pair),
        ([], pair),
        ([(5,)] * 9 + [(0,)], ("tower",)),
        ([(5, 5, 5)] * 4, three),
        ([(5, 0, 4)] * 4, three),
        ([DOUBTFUL_MUG] * 2 + [DOUBTFUL_BOTH, LOST_MUG, OUT], pair),
    ]
    said = {str(images): prompt_sentence(prompt_of(images, concepts)) for images, concepts in cases}
    golden("report/prompts", one_a_case(said))


def test_directions_are_counted_over_collapsed_images_only(prompt_of):
    found = directions(prompt_of([LOST_MUG, LOST_MUG, LOST_TOWER, BOTH, (5, 4), OUT]))
    assert [(d.dominating, d.dominated, d.images) for d in found] == [("tower", "mug", 2), ("mug", "tower", 1)]


def test_worst_first(prompt_of):
    made = {
        "balanced": prompt_of([BOTH] * 10, ("a", "b")),
        "nothing scored": prompt_of([OUT] * 10, ("c", "d")),
        "mixed": prompt_of([BOTH] * 5 + [LOST_MUG] * 5, ("e", "f")),
        "lost": prompt_of([NEITHER] * 10, ("g", "h")),
        "seven": prompt_of([LOST_MUG] * 7 + [BOTH] * 3, ("i", "j")),
        "ten, weaker": prompt_of([(4, 1)] * 10, ("k", "l")),
        "ten": prompt_of([LOST_MUG] * 10, ("m", "n")),
    }
    names = {result.prompt.id: name for name, result in made.items()}
    ordered = [names[result.prompt.id] for result in worst_first(made.values())]
    assert ordered == ["ten", "ten, weaker", "seven", "lost", "mixed", "nothing scored", "balanced"]
