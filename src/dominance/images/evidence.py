"""What there is to say which prompt an image was made from: its folders, tables beside it, its own text, its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_file, read_text
from dominance.images.listing import ImageFile, Listing
from dominance.images.matching import NONE, Matcher, Prompts, folder_case
from dominance.images.tables import Row, metadata_of
from dominance.images.texts import prompt_of_parameters, prompts_in
from dominance.wording import on_one_line, quoted


@dataclass(frozen=True)
class Evidence:
    """What is known of one image.

    Attributes:
        folder: the prompts that its folders name; ``folder_name`` is the name that does.
        texts: what it says itself, and what a text beside it or the metadata of its folder says.
        told: the prompts that the texts are.
    """

    image: ImageFile
    folder: Prompts
    folder_name: str
    texts: tuple[str, ...]
    told: Prompts


class Witness:
    """Gathers the evidence about the images of one folder."""

    def __init__(self, listing: Listing, matcher: Matcher) -> None:
        self.listing, self.matcher = listing, matcher
        self.rows: dict[Path, Row] = {}
        self._about: dict[Path, Row] = {}
        self._folders: dict[Path, tuple[Prompts, str]] = {Path(): (NONE, "")}
        self._cases: dict[Prompts, Path] = {}
        for folder in sorted({above for image in listing.images for above in image.path.parents} | {Path()}):
            for row in metadata_of(listing.root / folder):
                if row.path is None:
                    self._about[folder] = row
                else:
                    self.rows[folder / row.path] = row

    def of(self, image: ImageFile) -> Evidence:
        """The evidence about one image.

        Raises:
            InputError: the folders that it lies in name two prompts, or two folders have the same case.
        """
        folder, name = self._named_by(image.path.parent)
        texts = tuple(self._texts(image))
        told = frozenset(prompt for text in texts for prompt in self.matcher.by_text(text))
        row = self.rows.get(image.path) or next(
            (self._about[up] for up in image.path.parents if up in self._about), None
        )
        if row is not None:
            stated = self.matcher.by_row(row.text, row.id)
            told = (told & stated) or stated or told
            texts = (*((row.text,) if row.text else ()), *texts)
        return Evidence(image, folder, name, texts, told)

    def _texts(self, image: ImageFile) -> Iterator[str]:
        yield from prompts_in(image.file)
        if text := text_beside(self.listing.root / image.path):
            yield prompt_of_parameters(text)

    def _named_by(self, folder: Path) -> tuple[Prompts, str]:
        """The prompts that a folder, or one that it lies in, names; the outermost decides."""
        if folder not in self._folders:
            outer, outer_name = self._named_by(folder.parent)
            own = self.matcher.by_folder(folder.name)
            self._check_case(folder, own)
            if not outer:
                named = (own, folder.name if own else "")
            elif own and not own & outer and not (folder.name.isdigit() and not outer_name.isdigit()):
                raise InputError(
                    f"{on_one_line(self.listing.root / folder, 120)} lies in a folder of the prompt"
                    f" {quoted(_id(outer))} but is named like the prompt {quoted(_id(own))}; rename one of the two,"
                    " or list the images in a CSV with the columns path and prompt"
                )
            else:
                named = ((outer & own) or outer, outer_name)
            self._folders[folder] = named
        return self._folders[folder]

    def _check_case(self, folder: Path, own: Prompts) -> None:
        case = folder_case(folder.name)
        if case is None or not own:
            return
        if (first := self._cases.setdefault(own, folder)) != folder:
            raise InputError(
                f"the folders {quoted(first.name)} and {quoted(folder.name)} in {on_one_line(self.listing.root, 120)}"
                f" are both case {case}; keep one, and score the other separately"
            )


def _id(prompts: Prompts) -> str:
    return min(prompt.id for prompt in prompts)


def text_beside(image: Path) -> str | None:
    """The text of the ``.txt`` file with an image's name; None where there is none, or it cannot be read."""
    for name in (image.with_suffix(".txt"), image.with_name(f"{image.name}.txt")):
        if is_file(name):
            try:
                return read_text(name).strip() or None
            except InputError:
                return None
    return None


def common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that all the paths lie in."""
    parts = [path.parent.parts for path in paths]
    shared: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return Path(*shared)
