"""Pictures that models of the miniature world drew, and what readers saw on them.

The pictures ship in one lossless atlas, beside a table of what drew each of them and of what its readers saw.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image

from dominance.errors import InputError, ItemError
from dominance.files import csv_bytes, is_file, read_table, read_text, write_whole
from dominance.miniature.bundled import bundled_folder
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import SIDE
from dominance.numbers import plural
from dominance.pictures import image_size, open_image
from dominance.wording import complaint, quoted

Label = Literal["plain", "doubtful", "absent"]
"""What readers saw of a concept; ``doubtful`` also where they do not agree."""
Scene = Literal["rigid", "between", "varied", "objects"]
"""How the model that drew a picture knows the entities that its prompt names; ``objects`` where it names none."""
DrawnBy = Literal["base", "twin", "rigid", "varied", "between", "under-trained"]
"""What drew a picture: the base or a twin, or the base with an adapter of one design of an entity, of all different
ones, of a few, or of a training that was broken off."""
Half = Literal["dev", "kept"]
"""``kept`` is not for choosing settings by."""
SCENES: tuple[Scene, ...] = get_args(Scene)

TABLE: str = "labels.csv"
ATLAS: str = "pictures.webp"
_ACROSS = 36
_MOST_READERS = 9
_COLUMNS = (
    "number", "drawn by", "model", "adapter", "strength", "steps", "seed", "prompt", "concepts", "scene", "half",
    "plain", "doubtful",
)  # fmt: skip
"""And for each reader what that one saw, see ``_column``."""


@dataclass(frozen=True)
class Seen:
    """What one reader saw on a picture; all other concepts are absent."""

    plain: tuple[str, ...]
    doubtful: tuple[str, ...]

    def label(self, concept: str) -> Label:
        return "plain" if concept in self.plain else "doubtful" if concept in self.doubtful else "absent"


@dataclass(frozen=True)
class LabelledPicture:
    """One picture that a model drew, and what its readers saw.

    Attributes:
        number: on the sheets and in the atlas, from 1.
        adapter: its name; empty for the model alone.
        seed: of the noise.
        concepts: that the prompt names, in its order.
        readers: what each of them saw.
    """

    number: int
    drawn_by: DrawnBy
    model: str
    adapter: str
    strength: float
    steps: int
    seed: int
    prompt: str
    concepts: tuple[str, ...]
    scene: Scene
    half: Half
    readers: tuple[Seen, ...]

    def label(self, concept: str) -> Label:
        """What all readers say; doubtful where they do not say the same.

        >>> seen = (Seen(("mug",), ()), Seen(("mug", "lamp"), ("book",)))
        >>> picture = LabelledPicture(1, "base", "m", "", 1.0, 25, 0, "a mug", ("mug",), "objects", "dev", seen)
        >>> [picture.label(name) for name in ("mug", "lamp", "book", "clock")]
        ['plain', 'doubtful', 'doubtful', 'absent']
        """
        said = {seen.label(concept) for seen in self.readers}
        return said.pop() if len(said) == 1 else "doubtful"

    def labelled(self, label: Label) -> tuple[str, ...]:
        """The concepts of the world with this label."""
        return tuple(name for name in BY_NAME if self.label(name) == label)


def write_labelled(
    folder: Path, pictures: Sequence[LabelledPicture], images: Iterable[Image.Image]
) -> tuple[Path, ...]:
    """Writes the atlas and the table.

    Args:
        pictures: numbered from 1 without a gap; ``images`` in the same order.

    Raises:
        RunError: the disk refuses.
    """
    readers = range(1, len(pictures[0].readers) + 1)
    rows: list[Sequence[object]] = [[*_COLUMNS, *(_column(r, said) for r in readers for said in ("plain", "doubtful"))]]
    for p in pictures:
        own = [p.number, p.drawn_by, p.model, p.adapter, f"{p.strength:g}", p.steps, p.seed, p.prompt]
        lists = (p.concepts, p.labelled("plain"), p.labelled("doubtful"))
        named, plain, doubtful = map(" ".join, lists)
        seen = [" ".join(names) for reader in p.readers for names in (reader.plain, reader.doubtful)]
        rows.append([*own, named, p.scene, p.half, plain, doubtful, *seen])
    return _write_atlas(folder / ATLAS, list(images)), write_whole(folder / TABLE, csv_bytes(rows))


def _column(reader: int, said: str) -> str:
    return f"reader {reader} {said}"


def _write_atlas(file: Path, images: Sequence[Image.Image]) -> Path:
    atlas = Image.new("RGB", _atlas_size(len(images)))
    for place, image in enumerate(images):
        atlas.paste(image, _corner(place))
    content = io.BytesIO()
    atlas.save(content, "WEBP", lossless=True, quality=50, method=2)
    return write_whole(file, content.getvalue())


def _atlas_size(pictures: int) -> tuple[int, int]:
    """Width and height: full rows of 36, the last of which may have empty places."""
    return _ACROSS * SIDE, -(-pictures // _ACROSS) * SIDE


def _corner(place: int) -> tuple[int, int]:
    return place % _ACROSS * SIDE, place // _ACROSS * SIDE


def read_images(folder: Path, pictures: Iterable[LabelledPicture]) -> Iterator[Image.Image]:
    """The images of these pictures, which ``read_labelled`` found in the same folder.

    Raises:
        InputError: the atlas cannot be read.
    """
    atlas = open_image(folder / ATLAS)
    if isinstance(atlas, ItemError):
        raise InputError(f"{atlas}; {_remedy(folder)}")
    for picture in pictures:
        left, top = _corner(picture.number - 1)
        yield atlas.crop((left, top, left + SIDE, top + SIDE))


def read_labelled(folder: Path) -> tuple[LabelledPicture, ...]:
    """The table in a folder, by number; the atlas beside it has room for just these pictures.

    Raises:
        InputError: one of the two is missing or broken, or they do not belong together.
    """
    file = folder / TABLE
    table = read_table(read_text(file), file, _COLUMNS, _COLUMNS)
    readers = [r for r in range(1, _MOST_READERS + 1) if _column(r, "plain") in table.columns]
    if not readers:
        raise InputError(f"{file}: line {table.line}: no reader's columns, such as {_column(1, 'plain')!r}; add them")
    pictures = []
    for line, row in table.rows:
        try:
            pictures.append(_picture(row, readers))
        except (KeyError, ValueError) as error:
            raise InputError(f"{file}: line {line}: {complaint(error)}; correct it") from None
        if pictures[-1].number != len(pictures):
            raise InputError(
                f"{file}: line {line}: the number is {pictures[-1].number}, not {len(pictures)}; number the pictures"
                " from 1 without a gap, as the atlas holds them"
            )
    _check_atlas(folder, len(pictures))
    return tuple(pictures)


def _check_atlas(folder: Path, pictures: int) -> None:
    """Raises an InputError unless the atlas is as large as so many pictures make it."""
    file, wanted = folder / ATLAS, _atlas_size(pictures)
    found = image_size(file)
    if found is None:
        what = "is not an image" if is_file(file) else "is missing"
        raise InputError(f"{file} {what}, but {TABLE} lists {plural(pictures, 'picture')}; {_remedy(folder)}")
    if found != wanted:
        raise InputError(
            f"{file} has {found[0]}×{found[1]} pixels, but the {plural(pictures, 'picture')} of {TABLE} fill"
            f" {wanted[0]}×{wanted[1]}; {_remedy(folder)}"
        )


def _remedy(folder: Path) -> str:
    if folder == bundled_labels():
        return "install dominance again"
    return f"give a folder with {TABLE} and {ATLAS} as `dominance train labels --gather` wrote them together"


def _picture(row: dict[str, str], readers: Sequence[int]) -> LabelledPicture:
    return LabelledPicture(
        number=int(row["number"]),
        drawn_by=_one_of(row["drawn by"], get_args(DrawnBy)),
        model=row["model"],
        adapter=row["adapter"],
        strength=float(row["strength"]),
        steps=int(row["steps"]),
        seed=int(row["seed"]),
        prompt=row["prompt"],
        concepts=_known(row["concepts"]),
        scene=_one_of(row["scene"], get_args(Scene)),
        half=_one_of(row["half"], get_args(Half)),
        readers=tuple(Seen(_known(row[_column(r, "plain")]), _known(row[_column(r, "doubtful")])) for r in readers),
    )


def _known(listed: str) -> tuple[str, ...]:
    names = tuple(listed.split())
    for name in names:
        _one_of(name, BY_NAME)
    return names


def _one_of(word: str, known: Iterable[str]) -> Any:
    if word not in known:
        raise ValueError(f"{quoted(word)} is none of {', '.join(known)}")
    return word


def bundled_labels() -> Path:
    """The folder that ships with the package."""
    return bundled_folder("labels")
