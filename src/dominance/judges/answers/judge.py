"""Judges that have already answered: labels by people or by other programs, read from a file.

The file is CSV, its first line names the columns, or JSON lines with the same keys:

- ``prompt_id``: of the suite, and ``image``: the seed, or the image file's name;
- ``concept`` and ``present``: one label a concept (then N = 1 question a concept is asked), or
- ``question`` (its text), or ``concept`` and ``grade``, with ``answer``: one answer a question;
- ``present`` and ``answer`` are yes or no (true, false, 1, 0) or a probability; ``p_yes`` instead is always one;
- ``labeller``, if there are several: their majority counts, a tie leaves the image unscored.

An empty field, or ``unsure``, does not count as a vote. Other columns are ignored.
"""

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from PIL import Image

from dominance.errors import ModelError
from dominance.judges.answers.labels import Key, Labels, agreement, composed, decided, even, read_labels
from dominance.judges.answers.table import read_rows
from dominance.judges.protocol import ImageName
from dominance.records import Answer, Concept, Question


@dataclass(frozen=True)
class AnswersJudge:
    """The answers of a file; it knows images by their names and never looks at one."""

    name: str
    identity: str
    labels: Labels

    def ask(self, concept: Concept) -> tuple[Question, ...] | None:
        """The one question that a label a concept answers; None where the file answers the question set's own."""
        if self.labels.subject != "concept":
            return None
        return (Question(concept.name, f"Is {concept.name} present, by its label?", 1),)

    def check(self, questions: Sequence[Question]) -> None:
        """Raises a ModelError if the file is about none of these questions."""
        wanted = {self._about(question) for question in questions}
        first = next(iter(self.labels.votes))
        if questions and not any((key.about, key.grade) in wanted for key in self.labels.votes):
            raise ModelError(
                f"{self.labels.file} answers none of the {len(questions)} questions: the first is"
                f" {questions[0].text[:160]!r}, but line {self._line(first)} is about {first.about[:160]!r}"
                "; use the same wording"
            )

    def check_images(self, names: Sequence[ImageName], questions: Sequence[Question]) -> None:
        """Raises a ModelError that names the first line about a prompt, image or question that there is not."""
        images: dict[str, dict[str, set[str]]] = {}
        for name in names:
            for alias in _aliases(name):
                images.setdefault(composed(name.prompt_id), {}).setdefault(alias, set()).add(name.file)
        exact = {(composed(name.prompt_id), composed(name.name)) for name in names}
        wanted = {self._about(question) for question in questions}
        for key in self.labels.votes:
            where = f"{self.labels.file}: line {self._line(key)}"
            if key.prompt_id not in images:
                raise ModelError(f"{where}: no prompt {key.prompt_id[:60]!r}{_instead(key.prompt_id, images)}")
            there = images[key.prompt_id]
            if key.image not in there:
                told = f"the prompt {key.prompt_id[:60]!r} has no image {key.image[:60]!r}"
                raise ModelError(f"{where}: {told}{_instead(key.image, there)}")
            if len(there[key.image]) > 1 and (key.prompt_id, key.image) not in exact:
                raise ModelError(
                    f"{where}: the prompt {key.prompt_id[:60]!r} has {len(there[key.image])} images"
                    f" {key.image[:60]!r}; add the folder, as in folder/{key.image[:60]}"
                )
            if (key.about, key.grade) not in wanted:
                grade = "" if key.grade is None else f" of grade {key.grade}"
                what = "question" if self.labels.subject == "question" else "concept"
                instead = _instead(key.about, {about for about, _ in wanted})
                raise ModelError(f"{where}: no {what} {key.about[:160]!r}{grade}{instead}")

    def answer_named(
        self, images: Sequence[tuple[ImageName, ...]], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """For each image the answers to its own questions, in their order; an unanswered one says why."""
        return [
            tuple(self._answer(names, question) for question in asked)
            for names, asked in zip(images, questions, strict=True)
        ]

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """Always refuses: an image alone does not say which one it is.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"the judge {self.name[:120]!r} looks up answers by image name, which {len(images)} bare images with"
            f" {len(questions)} lists of questions do not have; use it with `dominance audit` or `dominance score`"
        )

    def describe(self) -> dict[str, object]:
        """What a manifest says about it: how many answers, by how many labellers, who agree how often."""
        labellers = {vote.labeller for votes in self.labels.votes.values() for vote in votes}
        return {
            "answers": len(self.labels.votes),
            "about": self.labels.subject,
            "labellers": len(labellers),
            "agreement": agreement(self.labels),
        }

    def _answer(self, names: tuple[ImageName, ...], question: Question) -> Answer:
        about, grade = self._about(question)
        keys = [Key(composed(name.prompt_id), alias, about, grade) for name in names for alias in _aliases(name)]
        votes = [vote for key in keys for vote in self.labels.votes.get(key, ())]
        shown = names[0]
        what = f"question {question.grade} about " if self.labels.subject != "concept" else ""
        return decided(
            question,
            votes,
            f"{self.labels.file} says nothing about {what}{question.concept!r} in image {shown.name!r} of prompt"
            f" {shown.prompt_id!r}",
        )

    def _about(self, question: Question) -> tuple[str, int | None]:
        if self.labels.subject == "question":
            return even(question.text), None
        return even(question.concept), question.grade if self.labels.subject == "grade" else None

    def _line(self, key: Key) -> int:
        return self.labels.votes[key][0].line


def _aliases(name: ImageName) -> tuple[str, ...]:
    """What people call an image: as the run does, or by its file's own name."""
    return tuple(dict.fromkeys((composed(name.name), composed(PurePath(name.file).name))))


def _instead(found: str, known: Iterable[str]) -> str:
    """The known name that is closest to the one found, else any, and what to do."""
    listed = sorted(known)
    close = difflib.get_close_matches(found[:100], listed, n=1, cutoff=0.5)
    told = f"; did you mean {close[0][:160]!r}?" if close else f"; known is, for example, {listed[0][:160]!r};"
    return f"{told} correct the line, or delete it"


def load_answers_judge(name: str, file: str) -> AnswersJudge:
    """The judge that answers from a ``.csv`` or ``.jsonl`` file, named by its path; see this module for its columns.

    Raises:
        ModelError: the file is missing or cannot be read, lacks a column, or contradicts itself.
    """
    rows, content = read_rows(Path(file))
    labels = read_labels(Path(file).name, rows)
    return AnswersJudge(name, f"sha256:{hashlib.sha256(content).hexdigest()[:24]}", labels)
