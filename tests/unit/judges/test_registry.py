"""Judges by their names: every scheme, every mode, hub ids, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_judges import save_clip, save_qwen, save_siglip, save_vilt

from dominance.errors import InputError, ModelError
from dominance.judges import registry
from dominance.judges.loading import SCHEMES
from dominance.judges.registry import listed_judges, load_judge, shown_name
from dominance.models.folders import ModelFolder
from golden import Golden, one_a_case

UNKNOWN = (
    "",
    "nobody",
    "blip",
    "blip:",
    "blip:/nowhere",
    "blip:" + "x" * 10_000,
    "x" * 10_000,
    "nobody:x",
    "miniature:x",
)


def test_an_unknown_judge_is_refused_in_one_short_line(golden: Golden) -> None:
    messages = {}
    for name in UNKNOWN:
        with pytest.raises(ModelError) as refused:
            load_judge(name)
        messages[name] = str(refused.value)
        assert "\n" not in messages[name]
        assert len(messages[name]) < 300
    golden("judges/unknown", one_a_case(messages))


KEYS_IN_NAMES = (
    ("openai:https://me:hush@host/v1#model", "official"),
    ("openai:https://host/v1?api_key=hush#model", "official"),
    ("https://me:hush@host/v1#model", "fast"),
    ("me@hush:x", "fast"),
    ("sk-hush", "fast"),
    ("blip:https://me:hush@host/model", "fast"),
    ("answers:https://me:hush@host/labels.csv", "fast"),
    ("openai:http://localhost:8000/v1#model", "official"),
    ("blip:turkey/judge@main", "official"),
)


def test_a_key_in_a_judge_s_name_is_not_repeated(golden: Golden) -> None:
    messages = {}
    for name, mode in KEYS_IN_NAMES:
        with pytest.raises(ModelError) as refused:
            load_judge(name, "cpu", mode)
        messages[name] = str(refused.value)
        assert "hush" not in messages[name]
    golden("judges/keys", one_a_case(messages))


def test_a_long_name_ends_in_dots() -> None:
    assert shown_name("blip:" + "x" * 100) == f"'blip:{'x' * 74}…'"


def test_a_judge_is_found_by_scheme_and_folder(tiny_judge: Path) -> None:
    judge = load_judge(f"blip:{tiny_judge}", "cpu")
    assert judge.name == f"blip:{tiny_judge}"
    assert judge.identity.startswith("sha256:")
    with pytest.raises(InputError, match="no device 'nonsense'"):
        load_judge(f"blip:{tiny_judge}", "nonsense")


@pytest.mark.parametrize(
    ("scheme", "save"),
    [
        ("qwen", lambda folder: save_qwen("qwen2_vl", folder)),
        ("vilt", save_vilt),
        ("clip", save_clip),
        ("siglip", save_siglip),
    ],
)
def test_a_hub_id_is_fetched_and_its_commit_is_the_identity(
    scheme: str, save: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = save(tmp_path / "judge"), []

    def find_weights(name: str, what: str) -> ModelFolder:
        asked.append((name, what))
        return ModelFolder(name, folder, "owner/name@c0ffee", {})

    monkeypatch.setattr(registry, "find_weights", find_weights)
    judge = load_judge(f"{scheme}:owner/name", "cpu")
    assert asked == [("owner/name", f"the judge '{scheme}:owner/name'")]
    assert judge.name == f"{scheme}:owner/name"
    assert judge.identity.startswith("owner/name@c0ffee")


def test_only_qwen_judges_have_the_official_mode(tiny_judge: Path, tmp_path: Path) -> None:
    for name in ("miniature", f"blip:{tiny_judge}", "answers:labels.csv", "openai:http://localhost#m"):
        with pytest.raises(ModelError, match=r"has no mode 'official'; give a qwen: judge, or the mode fast"):
            load_judge(name, "cpu", "official")
    with pytest.raises(InputError, match="no judge mode 'quick'; give one of fast, official"):
        load_judge("miniature", "cpu", "quick")
    judge: Any = load_judge(f"qwen:{save_qwen('qwen2_vl', tmp_path / 'judge')}", "cpu", "official")
    assert judge.mode == "official"


def test_a_folder_of_another_scheme_is_refused_and_the_right_scheme_named(tiny_judge: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is a 'blip' model, but qwen: takes qwen2_vl or .*; give blip: and"):
        load_judge(f"qwen:{tiny_judge}", "cpu")
    with pytest.raises(ModelError, match=r"is a 'clip' model, but siglip: takes siglip; give clip: and"):
        load_judge(f"siglip:{save_clip(tmp_path / 'judge')}", "cpu")


def test_a_folder_without_safetensors_is_refused(tiny_judge: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no \.safetensors weights"):
        load_judge(f"vilt:{tmp_path}", "cpu")


def test_every_judge_that_is_listed_says_how_it_is_named_and_what_it_is() -> None:
    listed = listed_judges()
    assert {name.partition(":")[0] for name in listed} == {"miniature", "openai", "answers", *SCHEMES.values()}
    assert all(listed.values())
