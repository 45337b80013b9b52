"""What is to be said of a fine-tuning before its first step: of its words, pictures, prior and suite."""

import sys
from dataclasses import dataclass

from dominance.diversity.verdicts import PAPER_EMBEDDER
from dominance.records import Concept, Suite
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.pictures import Pictures, prior_doubts
from dominance.wording import quoted


@dataclass(frozen=True)
class Said:
    """What was done, and what may spoil the outcome; a line each."""

    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def tell(self) -> None:
        """Writes them to standard error, so that a run of hours can still be stopped."""
        lines = (*(f"warning: {line}" for line in self.warnings), *(f"note: {line}" for line in self.notes))
        sys.stderr.writelines(f"{line}\n" for line in lines)


def said_of(
    token: str,
    words: tuple[str, ...],
    pictures: Pictures,
    prior: Pictures | None,
    suite: Suite | None,
    concept: Concept | None,
    compared: bool,
    options: TeachingOptions,
) -> Said:
    """All of it.

    Args:
        words: on the token, see ``token_notes``.
        compared: whether images are compared with the pictures.
    """
    notes = [*words, *pictures.notes, *(prior.notes if prior else ())]
    warnings = [*pictures.warnings, *(prior_doubts(prior, pictures, token) if prior else ())]
    if suite is not None and concept is not None:
        warnings += _uncomposed(suite, concept)
        notes += _untold(suite, concept)
        if not compared:
            embedder = "" if options.watching.embedder else f" and --embedder {PAPER_EMBEDDER}"
            notes.append(f"similarity and copying are not measured; give two or more different pictures{embedder}")
    if prior is None and not options.prior_images:
        notes.append("no prior: what else the model drew of this class may change; give --prior or --prior-images")
    return Said(tuple(notes), tuple(warnings))


def _uncomposed(suite: Suite, concept: Concept) -> list[str]:
    """A suite that cannot say what the fine-tuning is audited for."""
    if any(concept in prompt.concepts and len(prompt.concepts) > 1 for prompt in suite.prompts):
        return []
    return [
        f"no prompt of the suite {suite.name!r} names {quoted(concept.name)} beside something else, so whether the"
        " model still composes is not measured, and no checkpoint is marked; add one, such as"
        f" “a [{concept.name}] and a [mug]”"
    ]


def _untold(suite: Suite, concept: Concept) -> list[str]:
    """What else the suite's prompts leave unmeasured."""
    lines = []
    if not any((concept,) == prompt.concepts for prompt in suite.prompts):
        lines.append(
            f"no prompt of the suite {suite.name!r} names {quoted(concept.name)} alone, so whether it is learned is"
            f" not measured; add one, such as “a picture of a [{concept.name}]”"
        )
    if all(concept in prompt.concepts for prompt in suite.prompts):
        lines.append(
            f"every prompt of the suite {suite.name!r} names {quoted(concept.name)}, so leakage is not measured; add"
            " some without it, such as “a [mug] and a [book]”"
        )
    return lines
