"""Judges, by the names that users give: ``scheme:place``, bundled or from other packages.

Another package provides judges through entry points of the group ``dominance.judges``; in its pyproject.toml::

    [project.entry-points."dominance.judges"]
    tinyjudge = "tinyjudge.judging:load"

The entry point's name is the scheme, so that users give ``--judge tinyjudge:PLACE``. It names a callable
``load(place: str, /, *, device: str, mode: str) -> Judge`` (see ``LoadsJudge``): ``place`` is what stands after the
colon and never empty, ``device`` as users give it (``auto``, ``cpu``, ``cuda:1``), ``mode`` one of JUDGE_MODES;
a mode that the judge does not have is refused with a ``dominance.errors.ModelError``, and so is a place that it cannot
use. A callable with a further argument ``options`` also gets the options of ``--judge-option``, if there are any, as a
mapping of JSON values; they must change the judge's identity if they change answers. What comes back is a ``Judge``,
named ``scheme:place``, whose identity changes whenever an answer could; it may also be what ``protocol`` has besides,
such as a ``PacedJudge``. The package is imported only when one of its judges is asked for. Nobody can take the scheme
of a bundled judge.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any, Literal, Protocol, cast

from dominance.errors import ModelError
from dominance.judges.options import JUDGE_MODES, check_mode
from dominance.judges.protocol import Judge
from dominance.miniature.bundled import bundled_folder
from dominance.models.folders import ModelFolder, content_identity, find_weights
from dominance.plugins import find_plugin, load_plugin, plugin_names, plugin_owner

GROUP: str = "dominance.judges"
"""The group of entry points that judges of other packages are found by."""
_SECRET = re.compile(r"@|\?|key|token|secret|passw|sk-", re.IGNORECASE)
_LONGEST = 80
_WEIGHTS = "a folder or a hub id"


class LoadsJudge(Protocol):
    """What loads the judges of a scheme; one whose scheme has options also takes ``options``."""

    def __call__(self, place: str, /, *, device: str, mode: str) -> Judge:
        """The judge at a place; raises a ModelError for one that cannot be used."""
        ...


@dataclass(frozen=True)
class _Scheme:
    """One kind of judge.

    Attributes:
        usage: how users name one.
        what: it is, for the list of judges.
        on_disk: what its place is, if it is on disk or on a hub: such places hold no secrets.
        takes_options: whether ``load`` takes the options of ``--judge-option``.
    """

    usage: str
    what: str
    load: LoadsJudge
    on_disk: str | None = None
    modes: tuple[str, ...] = ("fast",)
    takes_options: bool = False


def shown_name(name: str) -> str:
    """A judge's name as messages give it: in quotes, cut short, and without what may be a key in an address.

    >>> shown_name("blip:owner/name@main"), shown_name("openai:https://me:sk-1234@host/v1#model")
    ("'blip:owner/name@main'", "'openai:…'")
    """
    scheme, colon, _ = name.partition(":")
    address = scheme not in _BUNDLED or _BUNDLED[scheme].on_disk is None or "://" in name
    if address and _SECRET.search(name):
        return repr("…" if _SECRET.search(scheme) or not colon else f"{scheme[:20]}:…")
    return repr(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def listed_judges() -> dict[str, str]:
    """How every judge is named, and what it is; one from another package that cannot be used says why."""
    return {scheme.usage: scheme.what for scheme in _BUNDLED.values()} | dict(_listed_foreign())


def _listed_foreign() -> Iterator[tuple[str, str]]:
    for name in plugin_names(GROUP):
        usage = f"{name}:…"
        try:
            yield usage, cast(_Scheme, _find(name)).what
        except ModelError as error:
            yield usage, str(error)


def load_judge(
    name: str, device: str = "auto", mode: str = "fast", options: Mapping[str, object] | None = None
) -> Judge:
    """The judge of that name, loaded.

    Args:
        name: as ``listed_judges`` says, the hub id as ``owner/name`` or ``owner/name@revision``.
        device: where its weights go, if it has any.
        mode: one of JUDGE_MODES; of the bundled judges only ``qwen:`` has ``official``.
        options: as ``judges.options.read_options`` gives them; of the bundled judges only ``openai:`` takes any.

    Raises:
        InputError: no such mode or device, or an option that cannot be used.
        ModelError: no such judge, its weights cannot be loaded, or it does not have that mode, or takes no options.
    """
    check_mode(mode)
    word, _, place = name.partition(":")
    scheme = _find(word)
    if scheme is None or (name != scheme.usage if ":" not in scheme.usage else not place):
        raise ModelError(f"no judge {shown_name(name)}; give one of {', '.join(listed_judges())}")
    if mode not in scheme.modes:
        raise ModelError(f"the judge {shown_name(name)} has no mode {mode!r}; give a qwen: judge, or the mode fast")
    if scheme.on_disk and "://" in place:
        raise ModelError(f"the judge {shown_name(name)} is a URL; give {word}: and {scheme.on_disk}")
    if options and not scheme.takes_options:
        raise ModelError(_without_options(name))
    more = {"options": options} if options else {}
    return cast(Any, scheme.load)(place, device=device, mode=mode, **more)


def judge_weights(name: str) -> str | None:
    """What identifies the weights of the judge of that name, without loading them; None where none are known.

    Raises:
        ModelError: they are missing or cannot be read.
    """
    word, _, place = name.partition(":")
    if name == "miniature":
        return content_identity(bundled_folder("judge"))
    scheme = _BUNDLED.get(word)
    return _weights(word, place)[1].identity if scheme is not None and scheme.on_disk == _WEIGHTS else None


def _without_options(name: str) -> str:
    return f"the judge {shown_name(name)} takes no options; leave out --judge-option, or give an openai: judge"


def _find(word: str) -> _Scheme | None:
    """The scheme of that name, ours or another package's.

    Raises:
        ModelError: two packages provide it, or one of them provides one of ours.
    """
    point = find_plugin(GROUP, word, _BUNDLED)
    if point is None:
        return _BUNDLED.get(word)
    what = f"a judge from {plugin_owner(point)}"
    return _Scheme(f"{word}:…", what, partial(_load_foreign, point), modes=JUDGE_MODES, takes_options=True)


def _load_foreign(point: EntryPoint, place: str, *, device: str, mode: str, **more: Mapping[str, object]) -> Judge:
    """A judge from another package.

    Raises:
        ModelError: there are options, but it has no argument of that name; one that swallows any does not count.
    """
    name = f"{point.name}:{place}"

    def make(load: Any) -> Judge:
        if more and "options" not in inspect.signature(load).parameters:
            raise ModelError(_without_options(name))
        return load(place, device=device, mode=mode, **more)

    what = f"the judge {shown_name(name)} from {plugin_owner(point)}"
    return load_plugin(point, what, make, texts=("name", "identity"), acts=("check", "answer"))


def _weights(scheme: str, place: str) -> tuple[str, ModelFolder]:
    """The judge's name, and where its weights are, fetched from a hub if necessary."""
    name = f"{scheme}:{place}"
    return name, find_weights(place, f"the judge {shown_name(name)}")


def _miniature(_place: str, *, device: str, **_: str) -> Judge:
    from dominance.judges.blip import load_blip_judge

    return load_blip_judge("miniature", bundled_folder("judge"), device)


def _qwen(place: str, *, device: str, mode: str) -> Judge:
    from dominance.judges.qwen.judge import load_qwen_judge

    name, found = _weights("qwen", place)
    return load_qwen_judge(name, found.path, device, "official" if mode == "official" else "fast", found.identity)


def _blip(place: str, *, device: str, **_: str) -> Judge:
    from dominance.judges.blip import load_blip_judge

    name, found = _weights("blip", place)
    return load_blip_judge(name, found.path, device, found.identity)


def _vilt(place: str, *, device: str, **_: str) -> Judge:
    from dominance.judges.vilt import load_vilt_judge

    name, found = _weights("vilt", place)
    return load_vilt_judge(name, found.path, device, found.identity)


def _similarity(scheme: Literal["clip", "siglip"], place: str, *, device: str, **_: str) -> Judge:
    from dominance.judges.similarity import load_similarity_judge

    name, found = _weights(scheme, place)
    return load_similarity_judge(name, found.path, scheme, device, found.identity)


def _openai(place: str, *, options: Mapping[str, object] | None = None, **_: str) -> Judge:
    from dominance.judges.openai.judge import load_openai_judge

    return load_openai_judge(f"openai:{place}", place, options)


def _answers(place: str, **_: str) -> Judge:
    from dominance.judges.answers.judge import load_answers_judge

    return load_answers_judge(f"answers:{place}", place)


_SIMILARITY = "CLIP similarity to the concept's name: a weak baseline, one answer for all its questions"
_BUNDLED: dict[str, _Scheme] = {
    "miniature": _Scheme("miniature", "the bundled judge of the miniature world", _miniature),
    "qwen": _Scheme(
        "qwen:ID_OR_FOLDER",
        "a Qwen2-VL, Qwen2.5-VL or Qwen3-VL, in mode fast or official",
        _qwen,
        _WEIGHTS,
        JUDGE_MODES,
    ),
    "blip": _Scheme("blip:ID_OR_FOLDER", "a BLIP-VQA model", _blip, _WEIGHTS),
    "vilt": _Scheme("vilt:ID_OR_FOLDER", "a ViLT-VQA model", _vilt, _WEIGHTS),
    "clip": _Scheme("clip:ID_OR_FOLDER", _SIMILARITY, partial(_similarity, "clip"), _WEIGHTS),
    "siglip": _Scheme(
        "siglip:ID_OR_FOLDER",
        "SigLIP similarity with its own sigmoid: the same weak baseline",
        partial(_similarity, "siglip"),
        _WEIGHTS,
    ),
    "openai": _Scheme("openai:URL#MODEL", "a model behind an OpenAI-compatible endpoint", _openai, takes_options=True),
    "answers": _Scheme("answers:FILE", "answers by people or other programs, from a file", _answers, "a file"),
}
