"""A run beside another of the same prompts: what one loses and the other keeps."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dominance.beside import Beside, Contrast, OtherImage, OtherPrompt, OtherRun, loses
from dominance.errors import InputError
from dominance.files import is_file, read_bytes, write_whole
from dominance.metrics import bootstrap_mean
from dominance.records import Prompt, PromptResult
from dominance.runs.stages.directions import top_share

KEPT = "beside"
"""The folder below the run's that holds the other run's images that the report shows."""
_MOST_BYTES = 100_000_000


class Key(NamedTuple):
    """What pairs a prompt with another run's; ``id`` is empty unless its run has the text and concepts twice."""

    text: str
    concepts: tuple[str, ...]
    id: str

    @property
    def named(self) -> str:
        """The prompt as a list names it."""
        return f"{self.text} ({self.id})" if self.id else self.text


def keys_here(prompts: Iterable[Prompt]) -> list[Key]:
    """What pairs each prompt of this run."""
    return _told_apart([Key(prompt.text, tuple(c.name for c in prompt.concepts), prompt.id) for prompt in prompts])


def keys_there(other: OtherRun) -> list[Key]:
    """What pairs each prompt of the other."""
    return _told_apart([Key(prompt.text, prompt.concepts, prompt.id) for prompt in other.prompts])


def _told_apart(keys: Sequence[Key]) -> list[Key]:
    often = Counter(key[:2] for key in keys)
    return [key if often[key[:2]] > 1 else key._replace(id="") for key in keys]


def beside_of(other: OtherRun, results: Sequence[PromptResult], folder: Path) -> Beside:
    """The prompts of both runs, paired by text and concepts.

    Args:
        results: of this run; what is not scored yet takes no part.
        folder: of this run, where images of the other may have been kept.
    """
    here = dict(zip(keys_here(result.prompt for result in results), results, strict=True))
    there = dict(zip(keys_there(other), other.prompts, strict=True))
    pairs = [(result, there[key]) for key, result in here.items() if key in there]
    scores = [(p.dvd_mean, q.dvd_mean) for p, q in pairs if p.dvd_mean is not None and q.dvd_mean is not None]
    changes = [after - before for before, after in scores]
    scored = [(p, q) for p, q in pairs if p.verdict is not None and q.verdict is not None]
    return Beside(
        run=other.run,
        here=other.here,
        there=other.there,
        prompts=len(pairs),
        only_here=tuple(key.named for key in here if key not in there),
        only_there=tuple(key.named for key in there if key not in here),
        measured=len(scores),
        dvd_here=_mean([before for before, _ in scores]),
        dvd_there=_mean([after for _, after in scores]),
        change=_mean(changes),
        change_interval=bootstrap_mean([[change] for change in changes]) if len(changes) > 1 else None,
        lost_here=tuple(p.prompt.text for p, q in scored if loses(p.verdict) and not q.loses),
        lost_there=tuple(p.prompt.text for p, q in scored if q.loses and not loses(p.verdict)),
        contrast=_contrast(scored, folder),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _contrast(pairs: Sequence[tuple[PromptResult, OtherPrompt]], folder: Path) -> Contrast | None:
    """The clearest of those that lose a concept here and are balanced there: lost most here and kept most there.

    An image whose verdict hangs on doubtful answers counts for neither: what opens a report is what is surest.
    """
    able = [(p, q) for p, q in pairs if loses(p.verdict) and q.verdict == "balanced"]
    if not able:
        return None
    worst, there = min(able, key=lambda pair: _rank(*pair))
    kept = tuple(replace(image, file=_kept_or_own(image, folder)) for image in there.images)
    return Contrast(worst.prompt.id, replace(there, images=kept), len(shared_seeds(worst, there)))


def _rank(result: PromptResult, there: OtherPrompt) -> tuple[bool, float, float, float]:
    dominated = result.verdict == "dominance"
    sure = replace(result, images=tuple(image for image in result.images if not image.hangs))
    most = top_share(sure) if dominated else sum(image.verdict == "lost" for image in sure.images) / result.scored
    kept = sum(image.verdict == "balanced" and not image.hangs for image in there.images) / there.scored
    return (not dominated, -(most + kept), -most, -(result.dvd_mean or 0.0))


def shared_seeds(result: PromptResult, there: OtherPrompt) -> tuple[int, ...]:
    """The seeds of which both have an image, in this run's order."""
    known = {image.seed for image in there.images}
    return tuple(image.seed for image in result.images if image.seed is not None and image.seed in known)


def _kept_or_own(image: OtherImage, folder: Path) -> str | None:
    if image.file is None:
        return None
    kept = _place(image.file)
    return kept if is_file(folder / kept) else image.file


def _place(file: str) -> str:
    return f"{KEPT}/{hashlib.sha256(file.encode('utf-8', 'replace')).hexdigest()[:16]}{Path(file).suffix}"


def keep_images(found: Beside, folder: Path) -> bool:
    """Copies the other run's images that the report shows into this run's folder; says whether it copied any.

    An image that cannot be read stays where it is: the report says why it does not show it.

    Raises:
        RunError: a copy cannot be written.
    """
    images = () if found.contrast is None else found.contrast.there.images
    copied = False
    for image in images:
        if image.file is None or not Path(image.file).is_absolute():
            continue
        with contextlib.suppress(InputError):
            content = read_bytes(Path(image.file), most=_MOST_BYTES)
            write_whole(folder / _place(image.file), content)
            copied = True
    return copied
