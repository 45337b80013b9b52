"""Concepts that a caller names: those of all prompts, or of each."""

from collections.abc import Sequence
from typing import Any

from dominance.errors import InputError
from dominance.guidance.plan import Needs
from dominance.numbers import plural
from dominance.records import Concept, Prompt
from dominance.wording import on_one_line, quoted

Names = Sequence[str | Concept]
"""Concepts of one prompt, as names or with their kinds."""
_SOME = ("'castle'", "'mug'")
_LIKE = f"[{', '.join(_SOME)}], or one list a prompt"


class Named:
    """The concepts of every prompt of a call.

    Args:
        concepts: those of all prompts, or a list for each.
        prompts: the texts, where they are known.

    Raises:
        InputError: no such list, a concept twice in one, or not as many lists as prompts.
    """

    def __init__(self, concepts: Names | Sequence[Names], prompts: Sequence[str] | None = None) -> None:
        if isinstance(concepts, str | Concept) or not isinstance(concepts, Sequence):
            raise InputError(f"concepts is {_told(concepts)}; give a list, such as {_LIKE}")
        lists = [entry for entry in concepts if not isinstance(entry, str | Concept) and isinstance(entry, Sequence)]
        if lists and len(lists) < len(concepts):
            raise InputError(f"concepts has both names and lists; give a list of names, such as {_LIKE}")
        self._alike = not lists
        self._each = [_concepts(names) for names in (lists or [concepts])]
        if lists and prompts is not None and len(lists) != len(prompts):
            raise InputError(f"concepts has {len(lists)} lists for {plural(len(prompts), 'prompt')}; give one a prompt")

    def check(self, method: str, needs: Needs) -> None:
        """Raises an InputError where a method with these needs would leave all images as they are."""
        if any(needs.met_by(concepts) for concepts in self._each):
            return
        named = [quoted(concept.name) for concepts in self._each for concept in concepts]
        found = f"concepts is {', '.join(named) or 'empty'}" if self._alike else "no list has that"
        like = f"its kind, as in dominance.Concept({(named or _SOME)[0]}, 'landmark')"
        raise InputError(
            f"the method {method[:60]} needs {needs} in a prompt, and {found}; give"
            f" {like if needs.entities else f'a list, such as {_LIKE}'}"
        )

    def of(self, texts: Sequence[str]) -> list[Prompt]:
        """The prompts of a call with their concepts.

        Args:
            texts: of the prompts, or one an image, those of a prompt one after another.

        Raises:
            InputError: they cannot be shared out among the lists.
        """
        times, rest = divmod(len(texts), len(self._each))
        if rest or not times:
            raise InputError(
                f"concepts has {plural(len(self._each), 'list')} for {plural(len(texts), 'image')}; give one a prompt"
            )
        return [Prompt(text, text, self._each[number // times]) for number, text in enumerate(texts)]


def _concepts(names: Sequence[Any]) -> tuple[Concept, ...]:
    """One list's concepts.

    Raises:
        InputError: what is no concept, or one twice.
    """
    found: dict[str, Concept] = {}
    for name in names:
        if not isinstance(name, str | Concept):
            raise InputError(f"concepts has {_told(name)}; give names, such as {_LIKE}")
        concept = name if isinstance(name, Concept) else Concept(name)
        if concept.name in found:
            raise InputError(f"the concept {quoted(concept.name)} is given twice; give each once")
        found[concept.name] = concept
    return tuple(found.values())


def _told(value: object) -> str:
    return on_one_line(repr(value), 60)
