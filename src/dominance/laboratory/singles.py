"""What a model of the miniature world is measured with: image seeds, and every concept alone."""

from collections.abc import Callable

from dominance.metrics import rate
from dominance.miniature.captions import SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import CONCEPTS
from dominance.records import Concept, Prompt, Rate, RunResult, Suite

FIRST_SEED: int = 1000
"""Seeds of images that measure a model start here; sample sheets and suites use smaller ones."""


def image_seeds(count: int, after: int = 0) -> tuple[int, ...]:
    """So many of the seeds that measure a model, after the first ones."""
    return tuple(range(FIRST_SEED + after, FIRST_SEED + after + count))


def singles_suites() -> tuple[Suite, ...]:
    """Every concept alone, one suite for each of the single templates."""
    return tuple(
        Suite(
            f"singles-{number}",
            tuple(
                Prompt(c.name, template.format(a=with_article(c.name)), (Concept(c.name, c.kind),)) for c in CONCEPTS
            ),
        )
        for number, template in enumerate(SINGLE_TEMPLATES, start=1)
    )


def presence_alone(images: int, audited: Callable[[Suite, tuple[int, ...]], RunResult]) -> dict[str, Rate]:
    """How often each concept is there when it is asked for alone.

    Every template has seeds of its own: from one noise a model draws nearly the same under all of them, and images
    that are alike count for one.

    Args:
        images: of a concept, or a few more: as many under each template.
        audited: the run of a suite with these seeds.
    """
    each = -(-images // len(SINGLE_TEMPLATES))
    runs = [audited(suite, image_seeds(each, number * each)) for number, suite in enumerate(singles_suites())]
    rates = {}
    for concept in CONCEPTS:
        own = [prompt for run in runs for prompt in run.prompts if prompt.prompt.id == concept.name]
        rates[concept.name] = rate(sum(p.balanced for p in own), sum(p.scored for p in own))
    return rates
