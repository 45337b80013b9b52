"""What a model of the miniature world is measured with: image seeds, and every concept alone."""

from dominance.metrics import rate
from dominance.miniature.captions import SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import CONCEPTS
from dominance.records import Concept, Prompt, Rate, RunResult, Suite

FIRST_SEED: int = 1000
"""Seeds of images that measure a model start here; sample sheets and suites use smaller ones."""


def image_seeds(count: int) -> tuple[int, ...]:
    """The first so many seeds that measure a model."""
    return tuple(range(FIRST_SEED, FIRST_SEED + count))


def singles_suite() -> Suite:
    """Every concept alone, under each of the single templates."""
    prompts = [
        Prompt(f"{c.name}-{index}", template.format(a=with_article(c.name)), (Concept(c.name, c.kind),), c.name)
        for c in CONCEPTS
        for index, template in enumerate(SINGLE_TEMPLATES)
    ]
    return Suite("singles", tuple(prompts))


def presence_by_concept(singles: RunResult) -> dict[str, Rate]:
    """How often each concept is there when it is asked for alone."""
    rates = {}
    for concept in CONCEPTS:
        own = [p for p in singles.prompts if p.prompt.group == concept.name]
        rates[concept.name] = rate(sum(p.balanced for p in own), sum(p.scored for p in own))
    return rates
