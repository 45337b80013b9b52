"""What work names by its path reaches a node that has none of it, once; a node's own package is its own."""

from pathlib import Path

import pytest

from dominance.errors import InputError
from dominance.runs.engines.cargo import Cargo, unloaded
from dominance.runs.engines.packing import PACKAGE, packed, paths_in, unpacked
from dominance.runs.engines.work import Sent


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "sender" / "model"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "weights").write_bytes(bytes(range(256)) * 100)
    return folder


class Store:
    """Keeps what is put, and counts."""

    def __init__(self) -> None:
        self.kept: list[object] = []
        self.got = 0

    def put(self, value: object) -> int:
        self.kept.append(value)
        return len(self.kept) - 1

    def get(self, reference: int) -> bytes:
        self.got += 1
        value = self.kept[reference]
        assert isinstance(value, bytes)
        return value


def test_paths_are_put_in_place_where_they_are_read(tmp_path: Path) -> None:
    what = {"bundled": PACKAGE / "miniature", "own": tmp_path / "model", "relative": Path("runs/x"), "text": "a mug"}
    content = packed(what)
    assert paths_in(content) == [str(tmp_path / "model")]
    assert unpacked(content) == what
    moved = unpacked(content, lambda path: Path("/elsewhere") / Path(path).name)
    assert moved == {**what, "own": Path("/elsewhere/model")}


def test_a_model_reaches_a_node_once_and_whole(model: Path, tmp_path: Path) -> None:
    store, sent = Store(), Sent(packed(["weights", model, model / "model_index.json", tmp_path / "not there"]), "key")
    cargo = Cargo(store.put, shared=False)
    loads = cargo.loads(sent)
    assert list(loads) == [str(model), str(model / "model_index.json")]
    assert (cargo.kept(sent), cargo.kept(sent)) == (3, 3)
    node = tmp_path / "node"
    for _ in range(2):
        place = unloaded(loads, store.get, node)
        there, single = place(str(model)), place(str(model / "model_index.json"))
        assert store.got == 3
    assert there.is_relative_to(node)
    assert (there / "unet" / "weights").read_bytes() == (model / "unet" / "weights").read_bytes()
    assert single.read_text() == "{}"
    assert place(str(tmp_path / "other")) == tmp_path / "other"


def test_a_model_that_was_written_again_is_another_load(model: Path, tmp_path: Path) -> None:
    store, sent = Store(), Sent(packed(model), "key")
    first = Cargo(store.put, shared=False).loads(sent)
    (model / "unet" / "weights").write_bytes(b"trained further")
    second = Cargo(store.put, shared=False).loads(sent)
    node = tmp_path / "node"
    unloaded(first, store.get, node)(str(model))
    there = unloaded(second, store.get, node)(str(model))
    assert (there / "unet" / "weights").read_bytes() == b"trained further"


def test_half_a_load_is_fetched_again(model: Path, tmp_path: Path) -> None:
    store, sent = Store(), Sent(packed(model), "key")
    loads = Cargo(store.put, shared=False).loads(sent)

    def breaks(reference: int) -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        unloaded(loads, breaks, tmp_path / "node")(str(model))
    there = unloaded(loads, store.get, tmp_path / "node")(str(model))
    assert (there / "model_index.json").read_text() == "{}"


def test_a_folder_that_another_put_there_is_refused(model: Path, tmp_path: Path) -> None:
    store, sent = Store(), Sent(packed(model), "key")
    loads = Cargo(store.put, shared=False).loads(sent)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "node").symlink_to(tmp_path / "theirs")
    with pytest.raises(InputError, match="belongs to somebody else"):
        unloaded(loads, store.get, tmp_path / "node")(str(model))
    assert not list((tmp_path / "theirs").iterdir())


def test_nothing_is_sent_where_storage_is_shared(model: Path) -> None:
    store = Store()
    assert Cargo(store.put, shared=True).loads(Sent(packed(model), "key")) == {}
    assert store.kept == []
