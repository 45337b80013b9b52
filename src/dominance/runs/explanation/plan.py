"""What to record of a prompt's images, decided before anything is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.errors import InputError
from dominance.models.calls import latent_sides
from dominance.models.settings import GenerationSettings
from dominance.models.tokens import PromptTokens, prompt_tokens
from dominance.numbers import plural
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites
from dominance.records import Prompt
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.explanation.result import joined
from dominance.runs.stages.model import RunModel
from dominance.wording import quoted

FEWEST_SIDE: int = 8
"""Fewest positions along the longer side of a map's grid: coarser maps do not show where things are."""


def maps_sites(sites: Sequence[AttentionSite], sides: tuple[int, int]) -> tuple[AttentionSite, ...]:
    """The sites that maps are averaged over by default, for latents of these sides.

    These are the sites of the coarsest grid with at least 8 positions along its longer side that is not only the middle
    block's: 16² in Stable Diffusion 1, 24² in 2, 32² in XL; every block of a transformer. If no grid is that fine, the
    finest. Coarser grids do not show where things are; finer ones show textures rather than things.

    Source: Chefer et al. (2023) use 16² on Stable Diffusion 1; the rule for others is ours.
    """
    outer = [site for site in sites if site.where != "mid"] or list(sites)
    enough = [site.stride for site in outer if -(-max(sides) // site.stride) >= FEWEST_SIDE]
    wanted = max(enough) if enough else min(site.stride for site in sites)
    return tuple(site for site in sites if site.stride == wanted)


def default_maps_steps(steps: int) -> tuple[int, ...]:
    """The first step, a quarter, half and the last.

    >>> default_maps_steps(25), default_maps_steps(2)
    ((0, 6, 12, 24), (0, 1))
    """
    return tuple(sorted({0, (steps - 1) // 4, (steps - 1) // 2, steps - 1}))


@dataclass(frozen=True)
class RecordingPlan:
    """What to record of a prompt's images."""

    all_sites: tuple[AttentionSite, ...]
    sites: tuple[AttentionSite, ...]
    tokens: PromptTokens
    texts: tuple[str, ...]
    places: dict[str, tuple[int, ...]]
    alike: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    maps_layers: tuple[int, ...]
    maps_steps: tuple[int, ...]

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """The concepts of each of the places."""
        groups = {joined(group): group for group in self.alike}
        return [groups.get(name, (name,)) for name in self.places]


def plan_recording(opened: RunModel, prompt: Prompt, options: ExplainOptions) -> RecordingPlan:
    """Refuses whatever cannot be recorded, before anything is drawn."""
    texts = opened.texts()
    texts.tell()
    every = attention_sites(opened().pipeline)
    sites = chosen_sites(every, options.layers)
    tokens = prompt_tokens(opened().pipeline, prompt.text)
    if len(tokens.tokens) < 2:
        raise InputError(
            f"the prompt {quoted(prompt.text)} has only {plural(len(tokens.tokens), 'token')}, and attention compares"
            " tokens; give a prompt of two or more words"
        )
    names = [concept.name for concept in prompt.concepts]
    alike = tokens.reading(names).alike
    if options.maps_layers is None:
        mapped = maps_sites(sites, latent_sides(opened().pipeline, opened.settings))
    else:
        mapped = _among(options.maps_layers, sites, every)
    return RecordingPlan(
        all_sites=every,
        sites=sites,
        tokens=tokens,
        texts=_shown(tokens, [name for group in alike for name in group]),
        places=_places(tokens, names, alike),
        alike=alike,
        notes=tuple(texts.notes.values()),
        maps_layers=tuple(site.layer for site in mapped),
        maps_steps=_checked_steps(options.maps_steps, opened.settings),
    )


def _places(
    tokens: PromptTokens, names: Sequence[str], alike: tuple[tuple[str, ...], ...]
) -> dict[str, tuple[int, ...]]:
    """The indices in T of each concept's tokens, or of all of a group that the model cannot tell apart."""
    places: dict[str, tuple[int, ...]] = {}
    for name, columns in tokens.concepts(names).items():
        group = next((group for group in alike if name in group), (name,))
        own = tuple(tokens.indices.index(column) for column in columns)
        places[joined(group)] = tuple(sorted({*places.get(joined(group), ()), *own}))
    return places


def _shown(tokens: PromptTokens, alike: Sequence[str]) -> tuple[str, ...]:
    """The texts of T; where the model does not read what stands there, what it reads instead."""
    same = {column for columns in tokens.concepts(alike).values() for column in columns}
    return tuple(
        "▁" if token.blank else token.piece.strip("▁") if not token.known or token.index in same else token.text
        for token in tokens.tokens
    )


def _among(
    wanted: tuple[int, ...], sites: tuple[AttentionSite, ...], every: tuple[AttentionSite, ...]
) -> tuple[AttentionSite, ...]:
    """The sites of the maps; all must be recorded."""
    chosen = chosen_sites(every, wanted)
    absent = [site.layer for site in chosen if site not in sites]
    if absent:
        raise InputError(f"maps need layer {absent[0]}, which is not among the layers to record; add it to --layers")
    return chosen


def _checked_steps(wanted: tuple[int, ...] | None, settings: GenerationSettings) -> tuple[int, ...]:
    if wanted is None:
        return default_maps_steps(settings.steps)
    for step in wanted:
        if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < settings.steps:
            raise InputError(
                f"maps of step {step!r} are impossible with {settings.steps} steps, counted from 0; give steps from 0"
                f" to {settings.steps - 1}"
            )
    if not wanted:
        raise InputError(f"there are no steps for the maps; give steps from 0 to {settings.steps - 1}")
    return tuple(sorted(set(wanted)))
