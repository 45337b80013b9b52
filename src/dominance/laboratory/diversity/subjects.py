"""What the experiment teaches: a thing that is drawn, and the word that it is taught under."""

from dataclasses import dataclass

import numpy as np

from dominance.errors import InputError
from dominance.laboratory.diversity.breeds import SHAPES, any_breed, breed_design
from dominance.laboratory.diversity.designs import clear_scene, design
from dominance.miniature.concepts import BY_NAME, ENTITIES
from dominance.miniature.scene import Scene
from dominance.records import Kind


@dataclass(frozen=True)
class Subject:
    """A thing to teach.

    Attributes:
        name: of the thing; also its folder.
        word: that captions and prompts use.
        kind: as prompts give it.
        drawn: the concept of the world, or the new shape, that is drawn and judged.
        known: whether the base knows the word; it is then left out of the prior.
    """

    name: str
    word: str
    kind: Kind
    drawn: str
    known: bool

    def design(self, number: int) -> Scene:
        """One of the ten designs."""
        return breed_design(self.drawn, number) if self.drawn in SHAPES else design(self.drawn, number)

    def any_scene(self, rng: np.random.Generator) -> Scene:
        """A design of its own."""
        return any_breed(self.drawn, rng) if self.drawn in SHAPES else clear_scene(self.drawn, rng)


def _known(name: str) -> Subject:
    return Subject(name, name, BY_NAME[name].kind, name, True)


KNOWN: tuple[str, ...] = ENTITIES
"""The entities that the base knows."""
NEW_WORDS: dict[str, str] = {"dvdfort": "castle", "dvdmime": "clown"}
"""New words and the known shapes that they are taught for; the tokenizer spells them by letters."""

_SUBJECTS: dict[str, Subject] = {name: _known(name) for name in KNOWN} | {
    word: Subject(word, word, BY_NAME[shape].kind, shape, False) for word, shape in NEW_WORDS.items()
}
_SUBJECTS |= {shape: Subject(shape, shape, "character", shape, False) for shape in SHAPES}


def find_subject(name: str) -> Subject:
    """The subject of that name.

    Raises:
        InputError: there is none.
    """
    if name not in _SUBJECTS:
        raise InputError(f"no subject {name[:60]!r}; give some of {', '.join(_SUBJECTS)}")
    return _SUBJECTS[name]
