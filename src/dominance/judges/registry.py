"""Judges, by the names that users give."""

import re

from dominance.errors import InputError, ModelError
from dominance.judges.protocol import Judge
from dominance.models.folders import bundled_folder, find_weights

JUDGES: dict[str, str] = {
    "miniature": "the bundled judge of the miniature world",
    "qwen:ID_OR_FOLDER": "a Qwen2-VL, Qwen2.5-VL or Qwen3-VL, in mode fast or official",
    "blip:ID_OR_FOLDER": "a BLIP-VQA model",
    "vilt:ID_OR_FOLDER": "a ViLT-VQA model",
    "clip:ID_OR_FOLDER": "similarity to the concept's name, a weak baseline: the same answer to all its questions",
    "siglip:ID_OR_FOLDER": "the same by SigLIP and its own sigmoid",
    "openai:URL#MODEL": "a model behind an OpenAI-compatible endpoint",
    "answers:FILE": "answers that people or other programs gave",
}
MODES: tuple[str, ...] = ("fast", "official")
"""``fast``: P(yes), the image read once for all its questions; ``official``: the official release's own protocol."""
_SCHEMES = {listed.partition(":")[0] for listed in JUDGES if ":" in listed}
_FOLDERS = _SCHEMES - {"openai"}
"""Of places on disk or on a hub; these hold no secrets."""
_SECRET = re.compile(r"@|\?|key|token|secret|passw|sk-", re.IGNORECASE)
_LONGEST = 80


def shown_name(name: str) -> str:
    """A judge's name as messages give it: in quotes, cut short, and without what may be a key in an address.

    >>> shown_name("blip:owner/name@main"), shown_name("openai:https://me:sk-1234@host/v1#model")
    ("'blip:owner/name@main'", "'openai:…'")
    """
    scheme, colon, _ = name.partition(":")
    address = scheme not in _FOLDERS or "://" in name
    if address and _SECRET.search(name):
        return repr("…" if _SECRET.search(scheme) or not colon else f"{scheme[:20]}:…")
    return repr(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")


def load_judge(name: str, device: str = "auto", mode: str = "fast") -> Judge:
    """The judge of that name, loaded.

    Args:
        name: one of JUDGES, the hub id as ``owner/name`` or ``owner/name@revision``.
        device: where its weights go, if it has any.
        mode: one of MODES; only ``qwen:`` judges have ``official``.

    Raises:
        InputError: no such mode or device.
        ModelError: no such judge, its weights cannot be loaded, or it does not have that mode.
    """
    scheme, _, place = name.partition(":")
    if mode not in MODES:
        raise InputError(f"no judge mode {mode[:60]!r}; give one of {', '.join(MODES)}")
    if name != "miniature" and not (scheme in _SCHEMES and place):
        raise ModelError(f"no judge {shown_name(name)}; give one of {', '.join(JUDGES)}")
    if mode == "official" and scheme != "qwen":
        raise ModelError(f"the judge {shown_name(name)} has no mode 'official'; give a qwen: judge, or the mode fast")
    if scheme in _FOLDERS and "://" in place:
        where = "a file" if scheme == "answers" else "a folder or a hub id"
        raise ModelError(f"the judge {shown_name(name)} is an address; give {scheme}: and {where}")
    if scheme == "openai":
        from dominance.judges.openai.judge import load_openai_judge

        return load_openai_judge(name, place)
    if scheme == "answers":
        from dominance.judges.answers.judge import load_answers_judge

        return load_answers_judge(name, place)
    return _load_local(name, scheme, place, device, mode)


def _load_local(name: str, scheme: str, place: str, device: str, mode: str) -> Judge:
    """A judge whose weights are here, or come here from a hub."""
    if name == "miniature":
        from dominance.judges.blip import load_blip_judge

        return load_blip_judge(name, bundled_folder("judge"), device)
    weights = find_weights(place, f"the judge {shown_name(name)}")
    path, identity = weights.path, weights.identity
    if scheme == "qwen":
        from dominance.judges.qwen.judge import load_qwen_judge

        return load_qwen_judge(name, path, device, "official" if mode == "official" else "fast", identity)
    if scheme == "vilt":
        from dominance.judges.vilt import load_vilt_judge

        return load_vilt_judge(name, path, device, identity)
    if scheme in ("clip", "siglip"):
        from dominance.judges.similarity import load_similarity_judge

        return load_similarity_judge(name, path, scheme, device, identity)
    from dominance.judges.blip import load_blip_judge

    return load_blip_judge(name, path, device, identity)
