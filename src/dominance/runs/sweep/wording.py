"""What a sweep recommends, in one sentence."""

from collections.abc import Sequence

from dominance.numbers import counted
from dominance.records import Rate
from dominance.runs.sweep.choice import Floors, holds
from dominance.runs.sweep.result import CellResult


def recommendation(
    cells: Sequence[CellResult], chosen: CellResult | None, floors: Floors, taught: Sequence[str]
) -> str:
    """The recommendation, or plainly that no cell qualifies and what comes closest."""
    known = [cell for cell in cells if cell.point is not None and cell.strengths and all(cell.strengths)]
    name = " and ".join(taught)
    if not known:
        return f"nothing is recommended: no prompt names {name} beside another concept, or no image could be scored"
    asked = _asked(floors, name)
    if chosen is not None:
        said = f"use {named(chosen)}: {_shown(chosen, name)}"
        return f"{said}{_under(asked)}{_doubt(chosen, floors)}"
    closest = min(known, key=lambda cell: (_short(cell, floors), -sum(cell.point or (0.0, 0.0))))
    near = f"{named(closest)} comes closest: {_shown(closest, name)}"
    if any(cell.point is not None and holds(cell.point, floors) for cell in known):
        lacking = f"no cell has images of {name} and images that show every concept"
        return f"nothing can be recommended: {lacking}; {near}; draw more seeds"
    return f"no cell has {asked}; {near}"


def named(cell: CellResult) -> str:
    """A cell in a sentence."""
    if not cell.strengths:
        return "the base without the adapter"
    if cell.model is not None:
        return cell.name
    parts = [cell.checkpoint] if cell.checkpoint else []
    shown = " + ".join(f"{strength:g}" for strength in cell.strengths)
    parts.append(f"{'strengths' if len(cell.strengths) > 1 else 'strength'} {shown}")
    if cell.start:
        parts.append(f"from {cell.start:.0%} of the steps on")
    return " at ".join(parts[:2]) + (f" {parts[2]}" if len(parts) > 2 else "") if cell.checkpoint else " ".join(parts)


def _shown(cell: CellResult, name: str) -> str:
    every, seen = cell.composition or Rate(0, 0, None), cell.presence or Rate(0, 0, None)
    return f"{counted(every)} images show every concept, and {counted(seen)} show {name}"


def _asked(floors: Floors, name: str) -> str:
    least, least_identity = floors
    parts = [] if least is None else [f"every concept in at least {100 * least:g}% of the images"]
    parts += [] if least_identity is None else [f"{name} in at least {100 * least_identity:g}%"]
    return " and ".join(parts)


def _under(asked: str) -> str:
    return f" (the floor: {asked})" if asked else "; without a floor, both count alike"


def _doubt(cell: CellResult, floors: Floors) -> str:
    """That chance alone could put the cell below a floor."""
    least, least_identity = floors
    checked = ((cell.composition, least), (cell.presence, least_identity))
    low = [found for found, floor in checked if floor and found and found.interval and found.interval[0] < floor]
    return "; with so few images the interval reaches below the floor, so draw more seeds to be sure" if low else ""


def _short(cell: CellResult, floors: Floors) -> float:
    """How much a cell lacks of the floors, in all."""
    identity, composition = cell.point or (0.0, 0.0)
    least, least_identity = floors
    return max(0.0, (least or 0.0) - composition) + max(0.0, (least_identity or 0.0) - identity)
