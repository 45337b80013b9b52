"""The JSON document that ``dominance audit --json`` prints."""

import itertools
from dataclasses import asdict

from dominance.records import PromptResult, RunResult


def as_document(result: RunResult) -> dict[str, object]:
    """The public document of a run: docs/reference/documents.md."""
    return {
        "run": result.run,
        "suite": result.suite,
        "model": result.model,
        "judge": result.judge,
        "settings": result.settings,
        "images": result.images,
        "scored": result.scored,
        "unscored": result.unscored,
        "prompts": [_prompt(prompt) for prompt in result.prompts],
        "groups": [asdict(group) for group in result.groups],
        "gate": None if result.gate is None else asdict(result.gate),
    }


def _prompt(result: PromptResult) -> dict[str, object]:
    return {
        "id": result.prompt.id,
        "prompt": result.prompt.text,
        "group": result.prompt.group,
        "concepts": [concept.name for concept in result.prompt.concepts],
        "images": len(result.images),
        "scored": result.scored,
        "dvd_mean": result.dvd_mean,
        "dvd_interval": None if result.dvd_interval is None else list(result.dvd_interval),
        "balanced": result.balanced,
        "collapsed": result.collapsed,
        "lost": result.lost,
        "mixed": result.mixed,
        "presence": {name: presence.share for name, presence in result.presence.items()},
        **({"pairs": _pairs(result)} if len(result.prompt.concepts) > 2 else {}),
        "dominating": result.dominating,
        "verdict": result.verdict,
        "problems": [{"image": i.name, "problem": i.problem} for i in result.images if i.verdict is None],
    }


def _pairs(result: PromptResult) -> list[dict[str, object]]:
    """Every ordered pair of concepts: its mean DvD, and how many of the scored images collapse in its direction."""
    scored = [image for image in result.images if image.verdict is not None]
    names = [concept.name for concept in result.prompt.concepts]
    return [
        {
            "dominating": a,
            "dominated": b,
            "dvd_mean": sum(image.pairs[a, b] for image in scored) / len(scored) if scored else None,
            "collapsed": sum((a, b) in image.collapses for image in scored),
        }
        for a, b in itertools.permutations(names, 2)
    ]
