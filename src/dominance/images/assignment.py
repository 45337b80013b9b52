"""Which image of a user's belongs to which prompt of a suite.

The names of an image's folders and its texts decide, and must not contradict each other; where both are silent, its own
name does. What fits no prompt, or two prompts equally well, is left out and named, never guessed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_file, is_folder
from dominance.images.evidence import Evidence, Witness, common_folder
from dominance.images.links import followed, real_path
from dominance.images.listing import ImageFile, Listing, list_images, without_sheets, without_twins
from dominance.images.matching import Matcher, Prompts
from dominance.images.tables import Row, absent, is_table, read_list
from dominance.records import LeftOut, Prompt, Suite
from dominance.wording import on_one_line, quoted

_NO_PROMPT = "fits no prompt"
_PLAIN_FOLDERS = frozenset({"samples", "sample", "images", "image", "outputs", "output", "results", "seeds"})
"""Names of folders that say nothing about what is in them."""


@dataclass(frozen=True)
class Assigned:
    """An image and its prompt; the name tells it from the prompt's other images, the row is what a table says of it."""

    prompt: Prompt
    name: str
    image: ImageFile
    row: Row | None = None


@dataclass(frozen=True)
class Assignment:
    """The images of a suite's prompts, ordered by path, and what is left out."""

    root: Path
    images: tuple[Assigned, ...]
    left_out: tuple[LeftOut, ...]


def assign_images(source: Path, suite: Suite) -> Assignment:
    """The images of each prompt in a folder, or in a table that lists them.

    Args:
        source: a folder, or a CSV or JSONL file that gives each image's path, and its prompt's text or id.

    Raises:
        InputError: it is neither; a folder or table cannot be read; two folders have the same case; a folder of one
            prompt lies in that of another.
    """
    if is_table(source):
        return _by_list(source, Matcher(suite))
    if not is_folder(source):
        shown = on_one_line(source, 120)
        raise InputError(
            f"there is no image folder at {shown}; give a folder with one subfolder per prompt, or a CSV with the"
            " columns path and prompt"
        )
    return _by_folder(list_images(source), Matcher(suite))


def _by_folder(listing: Listing, matcher: Matcher) -> Assignment:
    witness = Witness(listing, matcher)
    homes = {image.path.parent for image in listing.images}
    alone = len(homes) == 1 and all(part.lower() in _PLAIN_FOLDERS for home in homes for part in home.parts)
    named = [
        image for image in listing.images if image.path in witness.rows or matcher.by_file(image.path.stem, alone=alone)
    ]
    listing = without_sheets(listing, named)
    evidence = [witness.of(image) for image in listing.images]
    only = matcher.suite.prompts[0] if len(matcher.suite.prompts) == 1 else None
    loose = only is not None and not any(known.folder for known in evidence)
    chosen: dict[ImageFile, Prompt] = {}
    problems: dict[ImageFile, str] = {}
    for known in evidence:
        found = _prompts(known, matcher, alone=alone)
        if only is not None and found == frozenset() and loose and _may_be(known, matcher):
            found = frozenset({only})
        if isinstance(found, str):
            problems[known.image] = found
        elif len(found) == 1:
            (chosen[known.image],) = found
        else:
            problems[known.image] = _unclear(found) if found else _unmatched(known, matcher)
    kept, twice = _without_twins(chosen)
    left_out = (*listing.left_out, *_told(listing, problems, matcher), *twice, *absent(witness.rows, listing.root))
    return Assignment(listing.root, _named(kept, witness.rows), left_out)


def _prompts(known: Evidence, matcher: Matcher, *, alone: bool) -> Prompts | str:
    """The prompts that an image may belong to, or what is contradictory about it."""
    found = known.folder & known.told or known.folder or known.told
    if known.folder and known.told and not known.folder & known.told:
        if not known.folder_name.isdigit():
            texts, folders = (quoted(min(p.id for p in prompts)) for prompts in (known.told, known.folder))
            return f"lies in a folder of the prompt {folders} but was made from the text of {texts}"
        found = known.told
    if len(found) == 1:
        return found
    by_name = matcher.by_file(known.image.path.stem, alone=alone)
    return (found & by_name or found) if found else by_name


def _may_be(known: Evidence, matcher: Matcher) -> bool:
    """Whether an image may belong to the only prompt: it lies in no folder of something else, nor says otherwise."""
    plain = all(part.isdigit() or part.lower() in _PLAIN_FOLDERS for part in known.image.path.parent.parts)
    return plain and (not known.texts or any(matcher.inside(text) for text in known.texts))


def _unclear(found: Prompts) -> str:
    first, second, *more = sorted(prompt.id for prompt in found)
    others = f" and {len(more)} more" if more else ""
    return f"fits the prompts {quoted(first)} and {quoted(second)}{others} equally well"


def _unmatched(known: Evidence, matcher: Matcher) -> str:
    if not known.texts:
        return _NO_PROMPT
    text = known.texts[0]
    return f"was made from {quoted(text, 80)}, which is no prompt of the suite{_maybe(matcher.near(text))}"


def _maybe(id: str | None) -> str:
    return "" if id is None else f"; it might be {quoted(id)}"


def _without_twins(chosen: Mapping[ImageFile, Prompt]) -> tuple[dict[ImageFile, Prompt], list[LeftOut]]:
    """Links to an image that the same prompt has already are left out."""
    by_prompt: dict[Prompt, list[ImageFile]] = defaultdict(list)
    for image, prompt in chosen.items():
        by_prompt[prompt].append(image)
    kept: dict[ImageFile, Prompt] = {}
    twice: list[LeftOut] = []
    for prompt, images in by_prompt.items():
        own, again = without_twins(images)
        kept |= dict.fromkeys(own, prompt)
        twice += again
    return dict(sorted(kept.items())), twice


def _named(chosen: Mapping[ImageFile, Prompt], rows: Mapping[Path, Row]) -> tuple[Assigned, ...]:
    """Each image with its name: its path within the folder that all images of its prompt lie in."""
    paths: dict[Prompt, list[Path]] = defaultdict(list)
    for image, prompt in chosen.items():
        paths[prompt].append(image.path)
    homes = {prompt: common_folder(own) for prompt, own in paths.items()}
    return tuple(
        Assigned(prompt, image.path.relative_to(homes[prompt]).as_posix(), image, rows.get(image.path))
        for image, prompt in chosen.items()
    )


def _told(listing: Listing, problems: Mapping[ImageFile, str], matcher: Matcher) -> list[LeftOut]:
    """What is said of images without a prompt: of a whole folder where the same is true of all in it."""
    under = Counter(above for image in listing.images for above in _folders(image))
    alike = Counter((above, reason) for image, reason in problems.items() for above in _folders(image))
    counts: Counter[tuple[Path, str]] = Counter()
    for image, reason in problems.items():
        whole = [above for above in _folders(image) if alike[above, reason] == under[above]]
        if reason == _NO_PROMPT:
            likely = [above for above in whole if matcher.near(above.name) is not None]
            place = (likely or whole or [image.path])[0]
        else:
            place = whole[0] if whole and alike[whole[0], reason] > 1 else image.path
        counts[place, reason] += 1
    return [
        LeftOut(place.as_posix(), _reason(place, reason, matcher), count, missing=True)
        for (place, reason), count in counts.items()
    ]


def _reason(place: Path, reason: str, matcher: Matcher) -> str:
    return reason if reason != _NO_PROMPT else f"{reason}{_maybe(matcher.near(place.name))}"


def _folders(image: ImageFile) -> list[Path]:
    """The folders that an image lies in below the root, the outermost first."""
    return list(reversed(image.path.parents))[1:]


def _by_list(file: Path, matcher: Matcher) -> Assignment:
    root, base = file.parent, real_path(file.parent)
    chosen: list[tuple[ImageFile, Prompt]] = []
    left_out: list[LeftOut] = []
    rows: dict[Path, Row] = {}
    for row in read_list(file):
        path = row.path or Path()
        name, found = path.as_posix(), matcher.by_row(row.text, row.id)
        problem = _problem_of(row, found, matcher) or (None if is_file(root / path) else "is not there")
        if problem is not None:
            left_out.append(LeftOut(name, f"{problem} (line {row.where.rpartition(' ')[2]})", missing=True))
        else:
            chosen.append((ImageFile(path, followed(root / path, base) or root / path), next(iter(found))))
            rows[path] = row
    _refuse_twice(file, chosen)
    return Assignment(root, _named_rows(chosen, rows), tuple(left_out))


def _problem_of(row: Row, found: Prompts, matcher: Matcher) -> str | None:
    if len(found) > 1:
        return _unclear(found)
    given = row.text or row.id or ""
    return None if found else f"has the prompt {quoted(given)}, which is not in the suite{_maybe(matcher.near(given))}"


def _refuse_twice(file: Path, chosen: Sequence[tuple[ImageFile, Prompt]]) -> None:
    for (image, prompt), count in Counter(chosen).items():
        if count > 1:
            raise InputError(
                f"{on_one_line(file, 120)}: {quoted(image.path.as_posix())} is listed {count} times for the prompt"
                f" {quoted(prompt.id)}; keep one of them"
            )


def _named_rows(chosen: Iterable[tuple[ImageFile, Prompt]], rows: Mapping[Path, Row]) -> tuple[Assigned, ...]:
    by_prompt: dict[Prompt, dict[ImageFile, Prompt]] = defaultdict(dict)
    for image, prompt in chosen:
        by_prompt[prompt][image] = prompt
    return tuple(one for own in by_prompt.values() for one in _named(own, rows))
