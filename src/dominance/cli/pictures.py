"""``dominance train pictures``."""

from pathlib import Path
from typing import Annotated

import typer

from dominance.cli.output import note
from dominance.errors import InputError

EXAMPLE = (
    "\x08\nExample:\n  dominance train pictures --out pictures --count 120\n  dominance diversity pictures/pictures.csv"
)


def command(
    out: Annotated[Path, typer.Option(help="New or empty folder; one folder a concept goes there.")],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Pictures of each concept.")] = 120,
    diversity: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Of every concept, 0 rigid to 1 varied. Default: entities 0, objects 1, as trained."
        ),
    ] = None,
    concepts: Annotated[str, typer.Option(help="Only these, by commas. Default: all.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
) -> None:
    """Draw pictures of the miniature world's concepts, one folder a concept, as for fine-tuning."""
    from dominance.miniature.concepts import BY_NAME
    from dominance.miniature.world import DEFAULT_DIVERSITY
    from dominance.training.picture_set import write_picture_set

    named = list(dict.fromkeys(name.strip() for name in concepts.split(",") if name.strip())) or list(BY_NAME)
    for name in named:
        if name not in BY_NAME:
            raise InputError(f"no concept {name[:60]!r}; give some of {', '.join(BY_NAME)}")
    if diversity is not None and not 0 <= diversity <= 1:
        raise InputError(f"--diversity is {diversity}; give a number from 0 to 1")
    chosen = {name: DEFAULT_DIVERSITY[name] if diversity is None else diversity for name in named}
    note(f"wrote {write_picture_set(out, chosen, count, seed)}")
