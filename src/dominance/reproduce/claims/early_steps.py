"""Another text in the first steps alone: does it prevent dominance, and until when must it be read?"""

from dominance.numbers import share_difference, share_of_items
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.claims.outcomes import KINDS, change_by, outcomes_of, plot_of_whole, share_by
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.methods import CATEGORY_WORD
from dominance.runs.reproduction.result import Figure, Finding
from dominance.runs.reproduction.rule import Rule
from dominance.runs.stages.method_names import PLAIN

RULE = Rule(
    "share of images that show every concept with a category word in the first two fifths of the steps, less that of"
    " the same images without",
    0.0,
    "above",
    "share difference",
)
DECIDES = "schedule:until=0.4"


def examine(experiments: Experiments) -> Finding:
    """The first two fifths decide; a shorter time, the whole run and the images that collapse stand beside them."""
    rows = outcomes_of(experiments.replaced.prompts, tuple(CATEGORY_WORD))
    later = {method: f"a category word {when}" for method, when in CATEGORY_WORD.items()}
    words = {PLAIN: "the prompt as it is", **later}
    figures = []
    for kind, name in KINDS.items():
        figures += [
            Figure(f"{name}, {said}", share_of_items(share_by(rows, kind, method))) for method, said in words.items()
        ]
        changed = {method: change_by(rows, kind, method) for method in CATEGORY_WORD}
        figures += [
            Figure(f"{name}, {words[method]}: less as it is", share_difference(one.value, one.interval))
            for method, one in changed.items()
        ]
    measured = change_by(rows, "whole", DECIDES)
    return found(measured, RULE, experiments.size.repaired_seeds, figures, [plot_of_whole(rows, words)])


CLAIM = Claim(
    "early-steps",
    "Another text in the first steps prevents dominance",
    "Whether disrupting the first steps prevents dominance, and until when one must do so, is left open.",
    OURS,
    "open",
    "Dominance prompts of the bench that their landmark, character or artist dominates are drawn from new seeds as they"
    " are, and with a category word for it in the first tenth of the steps, in the first two fifths, and throughout."
    " After the first steps the prompt is read as it is, so that the concept is asked for again. An image that loses"
    " both concepts no longer collapses, but that prevents nothing: what shows every concept decides.",
    RULE,
    ("bench", "replacement"),
    examine,
    otherwise=(
        "Fewer images show every concept where the first steps read another text. A category word that the model"
        " has never seen is noise to it, and what is laid out under noise need have no place for two concepts."
    ),
)
