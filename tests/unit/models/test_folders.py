"""Finding a model: what is not one is named, in one line, before anything heavy is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dominance.errors import InputError, ModelError
from dominance.models import GenerationSettings, find_model
from dominance.models.devices import find_device


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def only_bin(folder: Path) -> None:
    for file in (folder / "unet").glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def test_a_folder_is_a_model_with_its_identity_and_defaults(folder: Path) -> None:
    found = find_model(str(folder))
    assert found.path == folder
    assert found.defaults == {"steps": 2, "guidance": 3.0}
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


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (only_bin, r"unet has no \.safetensors weights; .*safe_serialization=True"),
        (lambda folder: shutil.rmtree(folder / "vae"), r"vae has no \.safetensors weights"),
        (lambda folder: (folder / "model_index.json").unlink(), "is no diffusers pipeline"),
        (write("model_index.json", "{"), r"model_index\.json cannot be read"),
        (write("model_index.json", "[]"), r"model_index\.json cannot be read"),
        (write("dominance.json", "{steps: 2}"), r"dominance\.json is not JSON"),
        (write("dominance.json", "[]"), r"dominance\.json holds list, not an object"),
    ],
)
def test_a_damaged_folder_says_what_is_wrong_with_it(
    folder: Path, damage: Callable[[Path], object], found: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=found) as refused:
        find_model(str(folder))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_components_that_the_pipeline_does_without_need_no_weights(folder: Path) -> None:
    index = folder / "model_index.json"
    listed = json.loads(index.read_text())
    assert listed["safety_checker"] == [None, None]
    index.write_text(json.dumps(listed | {"transformer": [None, None], "text_encoder_2": []}))
    find_model(str(folder))


@pytest.mark.parametrize(
    "name", ["", "minature", "../nowhere/at/all", "a b/c", "x" * 10_000, "x" * 5000 + "/y", "a\0b"]
)
def test_an_unknown_model_is_refused_in_one_short_line(name: str) -> None:
    with pytest.raises(ModelError, match=r"no model .*give a bundled one") as refused:
        find_model(name)
    assert len(str(refused.value)) < 300


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> str:
        raise ConnectionError("no route\nto the hub")

    monkeypatch.setattr("diffusers.DiffusionPipeline.download", refuse)
    with pytest.raises(ModelError, match=r"'nobody/nothing' from the hub \(ConnectionError: no route to the hub\)"):
        find_model("nobody/nothing")


def test_a_model_of_the_hub_is_known_by_its_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(repository: str, revision: str | None, use_safetensors: bool) -> str:
        asked.append((repository, revision))
        assert use_safetensors
        return str(folder)

    monkeypatch.setattr("diffusers.DiffusionPipeline.download", fetch)
    assert find_model("someone/something@v1").identity == f"someone/something@{folder.name}"
    assert asked == [("someone/something", "v1")]


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


@pytest.mark.parametrize(
    "given",
    [
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
    ],
)
def test_settings_out_of_range_name_what_was_found_and_what_is_wanted(given: dict) -> None:
    (name,) = given
    with pytest.raises(InputError, match=f"^{name} is .*; give"):
        GenerationSettings(**given)


def test_settings_at_the_ends_of_their_ranges_are_taken() -> None:
    for given in ({"steps": 1, "guidance": 0}, {"steps": 1000, "guidance": 100.0, "height": 16, "width": 4096}):
        assert GenerationSettings(**given).record().items() >= given.items()
