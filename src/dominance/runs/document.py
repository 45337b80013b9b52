"""The JSON document that ``dominance audit --json`` prints."""

from dataclasses import asdict

from dominance.records import PromptResult, RunResult


def as_document(result: RunResult) -> dict[str, object]:
    """The public document of a run: see DESIGN, "The public contract"."""
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
        "dominating": result.dominating,
        "verdict": result.verdict,
        "problems": [{"image": i.name, "problem": i.problem} for i in result.images if i.verdict is None],
    }
