"""Concepts alone: as many images as were asked for, no two of them from one noise."""

from dominance.laboratory.singles import presence_alone
from dominance.miniature.captions import SINGLE_TEMPLATES
from dominance.miniature.concepts import CONCEPTS
from dominance.records import Answer, Question, RunResult, Suite
from dominance.run_settings import RunSettings
from dominance.runs.stages.scoring import score_image, score_prompt


def test_every_template_has_seeds_of_its_own() -> None:
    asked: list[tuple[str, tuple[int, ...]]] = []

    def audited(suite: Suite, seeds: tuple[int, ...]) -> RunResult:
        """Sees everything but the tower under the second template."""
        asked.append((suite.name, seeds))
        prompts = []
        for prompt in suite.prompts:
            missing = prompt.id == "tower" and suite.name == "singles-2"
            answers = [Answer(Question(prompt.concepts[0].name, "?", grade), not missing) for grade in range(1, 6)]
            images = [score_image(prompt, str(seed), "x.png", answers) for seed in seeds]
            prompts.append(score_prompt(prompt, images))
        return RunResult("run", suite.name, "model", "judge", RunSettings(), tuple(prompts), (), None, {})

    rates = presence_alone(5, audited)
    assert [name for name, _ in asked] == [f"singles-{number + 1}" for number in range(len(SINGLE_TEMPLATES))]
    seeds = [seed for _, own in asked for seed in own]
    assert len(set(seeds)) == len(seeds) == 6
    assert set(rates) == {concept.name for concept in CONCEPTS}
    assert (rates["tower"].count, rates["tower"].n) == (4, 6)
    assert all(found.count == found.n == 6 for name, found in rates.items() if name != "tower")
