"""Finding a model: what is not one is named, in one line, before anything heavy is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dominance.errors import InputError, ModelError
from dominance.models.devices import find_device
from dominance.models.folders import find_model, find_weights
from dominance.models.settings import GenerationSettings
from golden import Golden, one_a_case


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def cut(folder: Path, part: str = "vae", keep: int = -10) -> None:
    file = next((folder / part).glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:keep])


def in_shards(folder: Path) -> None:
    """The weights as two files with an index, of which one never arrived."""
    file = next((folder / "unet").glob("*.safetensors"))
    shards = [file.with_name(f"{file.stem}-0000{number}-of-00002.safetensors") for number in (1, 2)]
    file.rename(shards[0])
    index = {"metadata": {}, "weight_map": {"a": shards[0].name, "b": shards[1].name}}
    file.with_name("diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))


def with_code(folder: Path) -> None:
    listed = json.loads((folder / "model_index.json").read_text())
    listed["unet"] = ["my_unet", "MyUNet"]
    (folder / "model_index.json").write_text(json.dumps(listed))
    (folder / "unet" / "my_unet.py").write_text("raise SystemExit('foreign code ran')")


def another_part(folder: Path) -> None:
    """A network under a name that no list holds, saved by pickle."""
    listed = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(listed | {"movq": ["diffusers", "VQModel"]}))
    (folder / "movq").mkdir()
    (folder / "movq" / "config.json").write_text("{}")
    (folder / "movq" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")


def only_bin(folder: Path) -> None:
    for file in (folder / "unet").glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def test_a_folder_is_a_model_with_its_identity_and_defaults(folder: Path) -> None:
    found = find_model(str(folder))
    assert found.path == folder
    assert found.defaults == {"steps": 2, "guidance": 3.0, "world": "miniature"}
    (folder / "dominance.json").unlink()
    bare = find_model(str(folder))
    assert bare.defaults == {}
    assert bare.identity != found.identity


def test_a_moved_model_is_the_same_and_a_changed_one_is_not(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    assert find_model(str(folder)).identity == find_model(str(tiny_model)).identity
    weights = next((folder / "unet").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert find_model(str(folder)).identity != find_model(str(tiny_model)).identity


DAMAGES: dict[str, Callable[[Path], object]] = {
    "only .bin": only_bin,
    "no vae": lambda folder: shutil.rmtree(folder / "vae"),
    "another part": another_part,
    "cut": cut,
    "5 bytes": lambda folder: cut(folder, "unet", 5),
    "30 bytes": lambda folder: cut(folder, "unet", 30),
    "a broken header": lambda folder: next((folder / "vae").glob("*.safetensors")).write_bytes(
        b"\2" + b"\0" * 7 + b"{]"
    ),
    "a shard missing": in_shards,
    "custom code": with_code,
    "a custom class": write("model_index.json", '{"_class_name": ["mine", "Mine"]}'),
    "no index": lambda folder: (folder / "model_index.json").unlink(),
    "a broken index": write("model_index.json", "{"),
    "a list for an index": write("model_index.json", "[]"),
    "broken defaults": write("dominance.json", "{steps: 2}"),
    "a list for defaults": write("dominance.json", "[]"),
}


def test_a_damaged_folder_says_what_is_wrong_with_it(tiny_model: Path, tmp_path: Path, golden: Golden) -> None:
    messages = {}
    for name, damage in DAMAGES.items():
        folder = Path(shutil.copytree(tiny_model, tmp_path / name))
        damage(folder)
        with pytest.raises(ModelError) as refused:
            find_model(str(folder))
        messages[name] = str(refused.value).replace(str(folder), "FOLDER")
        assert "\n" not in messages[name]
        assert len(messages[name]) < 500
    golden("models/folders", one_a_case(messages))


def test_components_that_the_pipeline_does_without_need_no_weights(folder: Path) -> None:
    index = folder / "model_index.json"
    listed = json.loads(index.read_text())
    assert listed["safety_checker"] == [None, None]
    index.write_text(json.dumps(listed | {"transformer": [None, None], "text_encoder_2": []}))
    find_model(str(folder))


def test_an_unknown_model_is_refused_in_one_short_line(golden: Golden) -> None:
    messages = {}
    for name in ("", "minature", "../nowhere/at/all", "a b/c", "x" * 10_000, "x" * 5000 + "/y", "a\0b"):
        with pytest.raises(ModelError) as refused:
            find_model(name)
        messages[name] = str(refused.value)
        assert len(messages[name]) < 300
    golden("models/unknown", one_a_case(messages))


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> str:
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr("diffusers.DiffusionPipeline.download", refuse)
    with pytest.raises(ModelError, match=r"'nobody/nothing' from the hub \(ConnectionError: no route to the hub\)"):
        find_model("nobody/nothing")


def test_a_model_of_the_hub_is_known_by_its_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(repository: str, revision: str | None, use_safetensors: bool, local_files_only: bool) -> str:
        asked.append((repository, revision))
        assert use_safetensors
        assert not local_files_only
        return str(folder)

    monkeypatch.setattr("diffusers.DiffusionPipeline.download", fetch)
    assert find_model("someone/something@v1").identity == f"someone/something@{folder.name}"
    find_model("someone/something", "refs/pr/2")
    find_model("someone/something@v1", "v1")
    find_model("someone/something")
    assert asked == [
        ("someone/something", "v1"),
        ("someone/something", "refs/pr/2"),
        ("someone/something", "v1"),
        ("someone/something", None),
    ]
    with pytest.raises(ModelError, match=r"names the revision 'v1', but --revision is 'v2'; give one"):
        find_model("someone/something@v1", "v2")
    for held_here in (str(folder), "miniature"):
        with pytest.raises(ModelError, match=r"is a folder, so it has no revision 'v2'; leave out --revision"):
            find_model(held_here, "v2")


def test_offline_only_the_cache_is_asked_and_the_message_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(repository: str, local_files_only: bool, **options: object) -> str:
        if not local_files_only:
            raise AssertionError("the network was asked")
        if repository == "not/there":
            raise FileNotFoundError("no such snapshot")
        return str(folder)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("diffusers.DiffusionPipeline.download", fetch)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert find_model("someone/something").path == folder
    with pytest.raises(ModelError, match=r"'not/there' from the cache \(FileNotFoundError: .*; unset HF_HUB_OFFLINE"):
        find_model("not/there")
    with pytest.raises(ModelError, match=r"the judge 'x' \(not/there\) from the cache .*a folder with its files"):
        find_weights("not/there", "the judge 'x'")


def test_weights_of_a_judge_come_from_a_folder_or_from_the_hub(
    tiny_judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_folder = find_weights(str(tiny_judge), "the judge")
    assert from_folder.path == tiny_judge
    assert from_folder.identity.startswith("sha256:")
    asked: list[object] = []

    def fetch(repository: str, revision: str | None, allow_patterns: list[str], local_files_only: bool) -> str:
        asked.append((repository, revision, local_files_only))
        assert not any(pattern.endswith((".bin", ".py", ".pt", "*")) for pattern in allow_patterns)
        return str(tiny_judge)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert find_weights("owner/judge", "the judge", "v3").identity == f"owner/judge@{tiny_judge.name}"
    assert asked == [("owner/judge", "v3", False)]
    with pytest.raises(
        ModelError, match=r"no weights of the judge 'blip:nowhere' at 'nowhere'; give a folder, or a hub"
    ):
        find_weights("nowhere", "the judge 'blip:nowhere'")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"has no \.safetensors weights"):
        find_weights(str(tmp_path), "the judge")


def test_a_file_that_may_not_be_read_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied", "unet/weights.safetensors")

    monkeypatch.setattr("hashlib.file_digest", refuse)
    with pytest.raises(ModelError, match=r"weights\.safetensors cannot be read \(Permission denied\)"):
        find_model(str(folder))


@pytest.mark.parametrize("name", ["", "nonsense", "cuda:-1", "cuda:99", "meta", "xpu", "cpu cpu", "x" * 1000])
def test_an_unknown_or_absent_device_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no device"):
        find_device(name)
    assert find_device("cpu").type == "cpu"


OUT_OF_RANGE: tuple[dict[str, Any], ...] = (
    {"steps": 0},
    {"steps": 1001},
    {"steps": -3},
    {"steps": True},
    {"steps": 2.5},
    {"guidance": -0.1},
    {"guidance": 100.5},
    {"guidance": float("nan")},
    {"guidance": float("inf")},
    {"height": 20},
    {"height": 8},
    {"width": 4104},
    {"width": -64},
    {"dtype": "float8"},
    {"dtype": ""},
)


def test_settings_out_of_range_name_what_was_found_and_what_is_wanted(golden: Golden) -> None:
    messages = {}
    for given in OUT_OF_RANGE:
        with pytest.raises(InputError) as refused:
            GenerationSettings(**given)
        messages[str(given)] = str(refused.value)
    golden("models/settings", one_a_case(messages))


def test_settings_at_the_ends_of_their_ranges_are_taken() -> None:
    for given in ({"steps": 1, "guidance": 0}, {"steps": 1000, "guidance": 100.0, "height": 16, "width": 4096}):
        assert GenerationSettings(**given).record().items() >= given.items()
