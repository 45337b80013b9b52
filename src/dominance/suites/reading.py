"""From a file of prompts to a suite: what it is, what its prompts are, and which concepts they name."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import SuiteError
from dominance.records import Concept, Gate, Prompt, Suite
from dominance.suites.brackets import prompt_of
from dominance.suites.entries import Entry, LeftOut, assemble
from dominance.suites.foreign import refuse_foreign
from dominance.suites.gates import head_of
from dominance.suites.layouts import meant_by
from dominance.suites.rows import Rows, read_rows
from dominance.suites.words import Finder, WordList
from dominance.wording import described, on_one_line, quoted

_BRACKETS = "'a [tower:landmark] and a [mug]'"


@dataclass(frozen=True)
class Understood:
    """A file of prompts, some of which may still name no concept.

    Attributes:
        source: what the user gave.
        form: what kind of list it is, in words.
        own: whether it is in the form of a suite.
        entries: its prompts.
        unused: columns and keys that mean nothing here.
        left_out: prompts that cannot be used, and listed concepts that their prompts do not name.
    """

    source: str
    form: str
    own: bool
    name: str
    entries: tuple[Entry, ...]
    description: str = ""
    gate: Gate | None = None
    unused: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def bare(self) -> tuple[Entry, ...]:
        """The prompts that name no concept."""
        return tuple(entry for entry in self.entries if not entry.prompt.concepts)


@dataclass(frozen=True)
class Reading:
    """A suite, and how it came of what the user gave.

    Attributes:
        words: name of the word list; None where none was given.
        looked_up: prompts in which its words were looked for.
        single: those in which only one was found, so that nothing else there can take over.
        left_out: prompts, and listed concepts, that are not in the suite.
    """

    suite: Suite
    understood: Understood
    words: str | None = None
    looked_up: int = 0
    single: int = 0
    left_out: tuple[LeftOut, ...] = ()


def understand(path: Path) -> Understood:
    """What a file of prompts holds.

    Raises:
        InputError: the file cannot be read.
        SuiteError: it holds no prompts, or is another program's file; names the file and the place in it.
    """
    try:
        return _understood(path, read_rows(path))
    except SuiteError as error:
        raise SuiteError(f"{on_one_line(path)}: {error}") from None


def _understood(path: Path, rows: Rows) -> Understood:
    refuse_foreign(rows)
    name, description, gate = head_of(rows.head if rows.strict else {}, path.stem)
    if "prompts" in rows.head:
        raise SuiteError(f"is not a suite: prompts is {described(rows.head['prompts'])}; give a list of prompts")
    meant = meant_by(rows)
    assemble(meant.entries)
    return Understood(
        str(path), meant.form, meant.own, name, tuple(meant.entries), description, gate, meant.unused,
        tuple(meant.left_out),
    )  # fmt: skip


def completed(understood: Understood, words: WordList | None = None) -> Reading:
    """The suite of prompts that name concepts, those that name none searched for the words of a list.

    A prompt in which none is found is left out.

    Raises:
        SuiteError: concepts are missing and there is no word list, or it finds none.
    """
    bare = understood.bare
    if bare and words is None:
        raise _missing(understood)
    finder = Finder(words.concepts if words else ())
    entries: list[Entry] = []
    left_out, single = list(understood.left_out), 0
    for entry in understood.entries:
        found = () if entry.prompt.concepts else finder.found(entry.prompt.text)
        made = entry if entry.prompt.concepts else _with_concepts(entry, found)
        if isinstance(made, LeftOut):
            left_out.append(made)
        else:
            entries.append(made)
            single += len(found) == 1
    if not entries and words:
        raise SuiteError(
            f"{on_one_line(understood.source)}: no prompt names one of the {_counted(len(words.concepts), 'word')}"
            f" of {quoted(words.name)} ({_counted(len(bare), 'prompt')}, such as {quoted(bare[0].prompt.text)}); give"
            " another word list as --concepts, or a file of your own words"
        )
    suite = Suite(understood.name, assemble(entries), understood.description, understood.gate)
    return Reading(suite, understood, words.name if words else None, len(bare), single, tuple(left_out))


def _with_concepts(entry: Entry, found: tuple[Concept, ...]) -> Entry | LeftOut:
    """The prompt with the concepts that were found in it, or why it cannot be used."""
    prompt = entry.prompt
    if not found:
        return LeftOut(entry.where, prompt.text, "no concept found")
    try:
        made = prompt_of(prompt.text, found, prompt.id, prompt.group)
    except SuiteError as error:
        return LeftOut(entry.where, prompt.text, str(error))
    return dataclasses.replace(entry, prompt=dataclasses.replace(prompt, concepts=made.concepts))


def _missing(understood: Understood) -> SuiteError:
    """What to do about prompts without concepts: the first one's own line if it is one of a few, else all together."""
    bare, all_of = understood.bare, len(understood.entries)
    name = on_one_line(understood.source)
    which = f"{all_of} prompt{'s' * (all_of != 1)}" if len(bare) == all_of else f"{len(bare)} of {all_of} prompts"
    return SuiteError(
        f"{name}: read as {understood.form}: {which} without concepts, such as {quoted(bare[0].prompt.text)}"
        f" ({bare[0].where}); say what must survive: find concepts by a word list, as with --concepts coco (see"
        f" `dominance list words`), or mark them in brackets, as in {_BRACKETS}"
    )


def notes_on(reading: Reading) -> list[str]:
    """What a person should know before the suite is used, a line each; nothing where all is in it."""
    understood, kept = reading.understood, _counted(len(reading.suite.prompts), "prompt")
    name, notes = on_one_line(understood.source), []
    if reading.words and not reading.looked_up:
        notes.append(f"{name}: every prompt names its concepts; --concepts {reading.words} is not needed")
    elif reading.words:
        notes.append(f"{name}: read as {understood.form}: {kept}, concepts found by the words of {reading.words}")
    elif not understood.own:
        notes.append(f"{name}: read as {understood.form}: {kept}")
    if understood.own and understood.unused:
        notes.append(f"{name}: not used: {', '.join(understood.unused)}")
    for what in dict.fromkeys(left.what for left in reading.left_out):
        listed = [left for left in reading.left_out if left.what == what]
        notes.append(f"{name}: left out: {_counted(len(listed), what)}: {_examples(listed)}")
    if reading.single:
        notes.append(
            f"{name}: only one concept is found in {_counted(reading.single, 'prompt')}: it can be lost, but nothing"
            " else can take over"
        )
    return notes


def _examples(listed: Sequence[LeftOut]) -> str:
    first = listed[0]
    more = "" if len(listed) == 1 else ", and so on; `dominance suite check` lists them"
    return f"{first.where}, {quoted(first.text)}: {first.why}{more}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def of_prompts(source: str, name: str, prompts: Sequence[Prompt], form: str) -> Understood:
    """Prompts that do not come from a file, as if one had held them."""
    entries = tuple(Entry(f"prompt {prompt.id[:80]}", prompt, named=True) for prompt in prompts)
    return Understood(source, form, True, name, entries)
