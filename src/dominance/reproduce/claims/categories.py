"""How varied the training pictures of categories are, in the paper's order."""

from dominance.reproduce.claims.claim import DVD, Claim
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Finding
from dominance.runs.reproduction.rule import Rule

RULE = Rule("median distance of objects' training pictures less that of landmarks'", 0.0, "above", "measure")


def examine(experiments: Experiments) -> Finding:
    """Never measured: the pictures are not there, or their diversity was set."""
    if experiments.source.world is not None:
        raise ImpossibleError(
            "how varied each concept's training pictures are was set by those who made this world, whatever its kind;"
            " what follows from it is in the claims training-diversity and factorial"
        )
    raise ImpossibleError(
        "the model's training pictures are not here; measure what you have of them, a folder a concept, with `dominance"
        " diversity`"
    )


CLAIM = Claim(
    "category-diversity",
    "Landmarks have the most uniform training pictures",
    "The median distance between training pictures is .3079 for landmarks, .4417 for characters, .4660 for artists and"
    " .4672 for objects: what dominates is what is uniform.",
    DVD,
    ".31 < .44 < .47 ≤ .47",
    "It needs the pictures that the model was trained on.",
    RULE,
    (),
    examine,
)
