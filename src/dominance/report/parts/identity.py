"""What a run shows of a taught concept, as rows for the terminal and the pages, and as pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.numbers import UNKNOWN, counted, mean, measure, rate
from dominance.records import Identity, Rate
from dominance.report.parts.pictures import Embedded, Missing, embed
from dominance.report.parts.sentences import listed

_SIDE = 128
_MOST = 12
"""Leaks, and copies, that a page shows."""


@dataclass(frozen=True)
class IdentityRow:
    """One measure: its name, its figure, and what it is, in a few words."""

    name: str
    figure: str
    means: str


@dataclass(frozen=True)
class Copied:
    """An image beside the reference that it copies."""

    image: Embedded | Missing
    reference: Embedded | Missing
    file: str


@dataclass(frozen=True)
class IdentityView:
    """All that a page shows of a taught concept."""

    taught: str
    sentence: str
    rows: tuple[IdentityRow, ...]
    leaks: tuple[Embedded | Missing, ...]
    leaked: int
    copies: tuple[Copied, ...]
    copied: int


def identity_view(found: Identity | None, folder: Path) -> IdentityView | None:
    """The measures and pictures; None where the run has none.

    Args:
        folder: that the images' files are relative to.
    """
    if found is None:
        return None
    return IdentityView(
        found.taught,
        identity_sentence(found),
        identity_rows(found),
        tuple(embed(folder / file, _SIDE) for file in found.leaked[:_MOST]),
        len(found.leaked),
        tuple(
            Copied(embed(folder / file, _SIDE), embed(Path(reference), _SIDE), file)
            for file, reference in found.copied[:_MOST]
        ),
        len(found.copied),
    )


def identity_rows(found: Identity) -> tuple[IdentityRow, ...]:
    """The measures that the run has."""
    name = found.taught
    rows: list[tuple[str, Rate | None, str]] = [
        ("composition", found.composition, f"{name} and all else that the prompt names are there"),
        ("presence", found.presence, f"{name} is there where it is named"),
        ("alone", found.alone, f"{name} is there where nothing else is named"),
        ("others", found.others, f"all concepts are there where {name} is not named"),
        ("leakage", found.leakage, f"{name} is there although it is not named"),
        ("copying", found.copying, "nearer to a reference than references are to one another"),
    ]
    listed = [IdentityRow(what, rate(value), means) for what, value, means in rows if value is not None]
    if found.dvd_towards is not None:
        towards = IdentityRow("DvD towards it", mean(found.dvd_towards, found.dvd_interval), "0 none, 100 total")
        listed.insert(1, towards)
    if found.similarity is not None:
        listed.append(IdentityRow("similarity", similarity(found), _ceiling(found)))
    return tuple(listed)


@dataclass(frozen=True)
class IdentitiesView:
    """What several sets of images show of one taught concept, a column each."""

    taught: str
    sentence: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]


def identities_view(found: Mapping[str, Identity]) -> IdentitiesView | None:
    """The measures that any of them has, beside one another; None where there are none."""
    if not found:
        return None
    by_name = {name: {row.name: row for row in identity_rows(one)} for name, one in found.items()}
    measures = {row.name: row.means for own in by_name.values() for row in own.values()}
    rows = tuple(
        (name, tuple(own[name].figure if name in own else UNKNOWN for own in by_name.values()), means)
        for name, means in measures.items()
    )
    return IdentitiesView(next(iter(found.values())).taught, identities_sentence(found), tuple(found), rows)


def identities_sentence(found: Mapping[str, Identity]) -> str:
    """How often each set shows the taught concept where it is named, and where it is not."""
    one = next(iter(found.values()))
    name = one.taught
    if one.presence is None:
        shares = {key: each.leakage for key, each in found.items() if each.leakage is not None}
        return f"No prompt names {name}; it appears in {_shares(shares)}." if shares else f"No prompt names {name}."
    shares = {key: each.presence for key, each in found.items() if each.presence is not None}
    return f"Where it is named, {name} appears in {_shares(shares)}."


def _shares(found: Mapping[str, Rate]) -> str:
    """Of the images of several sets: ``3 of 8 plain images and 4 of 8 by regions``."""
    (first, share), *others = found.items()
    return listed([f"{counted(share)} {first} images", *(f"{counted(own)} by {name}" for name, own in others)])


def similarity(found: Identity) -> str:
    """The median cosine to the references, with its interval."""
    return UNKNOWN if found.similarity is None else measure(found.similarity, found.similarity_interval)


def _ceiling(found: Identity) -> str:
    if found.ceiling is None:
        return ""
    low, middle, high = (f"{value:.3f}" for value in found.ceiling)
    return f"median cosine to {found.references} references, which have {middle} ({low} to {high}) to one another"


def identity_sentence(found: Identity) -> str:
    """The finding in one sentence."""
    if found.composition is None:
        leaks = "" if found.leakage is None else f"; not named, it appears in {counted(found.leakage)} images"
        beside = "" if found.presence is None else " beside something else"
        return f"No prompt names {found.taught}{beside}, so nothing can be said about composition{leaks}."
    kept = found.composition
    name = f"{found.taught[0].upper()}{found.taught[1:]}"
    said = f"{name} leaves room for the rest of the prompt in {kept.count} of {kept.n} images"
    extra = _trouble(found)
    return f"{said}{'; ' + ' and '.join(extra) if extra else ''}."


def _trouble(found: Identity) -> Sequence[str]:
    trouble = []
    if found.leakage is not None and found.leakage.count:
        trouble.append(f"it appears uncalled in {found.leakage.count} of {found.leakage.n}")
    if found.copying is not None and found.copying.count:
        trouble.append(f"{found.copying.count} of {found.copying.n} copy a reference picture")
    return trouble
