"""The engine ray: the same results as by one process, whatever actor dies, and nothing listens to the outside."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from light_work import PLAN, SETTINGS, LightDrawer, LightJudge, LightModel, opinion
from PIL import Image

from dominance.errors import InputError, ModelError
from dominance.judges.options import Asking
from dominance.models.drawing import Machine
from dominance.runs.engines.choice import crew_of
from dominance.runs.engines.ray import check_ray
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Elsewhere, make_images
from dominance.runs.stages.elsewhere import DrawingWork
from dominance.runs.stages.judging import ask_judge, judge_of, unanswered
from dominance.runs.store.ledger import Ledger

LIGHT_CREW = Path(__file__).with_name("light_crew.py")
LOOPBACK = ("127.", "::1", "::ffff:127.")


def test_an_engine_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"^the engine ray needs Ray; install it: pip install 'dominance\[ray\]'$"):
        crew_of(Machine("cpu", engine="ray"))


@pytest.mark.parametrize("address", ["", "cluster", "ray://host:10001", "host:", ":6379", "host:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=r"is not that of a Ray cluster; give HOST:PORT, or auto$"):
        check_ray(address)


def test_an_address_that_nobody_answers_is_one_line_in_seconds(
    command: Callable[..., Any], tiny_model: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    refused = command(
        "audit", "a [tower:landmark] and a [mug]", "--model", tiny_model, "--judge", f"blip:{tiny_judge}",
        "--engine", "ray", "--address", f"127.0.0.1:{port}", "--out", tmp_path / "run",
    )  # fmt: skip
    assert time.monotonic() - began < 60
    assert refused.status == 2
    assert refused.err == (
        f"error: nobody answers at the address 127.0.0.1:{port} (Connection refused); give that of a running cluster,"
        " or leave it out to start Ray on this machine\n"
    )
    assert not (tmp_path / "run").exists()


def listening(processes: list[psutil.Process]) -> Iterator[str]:
    """The addresses on which any of these processes listens."""
    for process in processes:
        for at in process.net_connections("inet"):
            if at.status == psutil.CONN_LISTEN:
                yield at.laddr.ip


@pytest.mark.slow
def test_actors_draw_and_judge_what_one_process_does_and_may_die(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two actors, one of which is killed while it draws; what listens meanwhile listens on the loopback address."""
    one, many = tmp_path / "one", tmp_path / "many"
    alone = subprocess.run([sys.executable, LIGHT_CREW, one, "none"], capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stderr
    words = [sys.executable, LIGHT_CREW, many, "ray", "0.2"]  # so that much is left to draw at the kill
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    request.addfinalizer(process.kill)
    while not list(many.glob("images/*/*.png")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    family = psutil.Process(process.pid).children(recursive=True)
    addresses = set(listening([psutil.Process(process.pid), *family]))
    actors = [each for each in family if "Actor" in " ".join(each.cmdline())]
    assert actors, [each.cmdline() for each in family]
    actors[0].kill()
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 0, said
    assert addresses
    assert all(address.startswith(LOOPBACK) for address in addresses), addresses
    assert "will be done by another" in said or "another is started" in said
    found = []
    for folder in (one, many):
        with Ledger(folder / "run.sqlite") as ledger:
            rows = {item: (row.file, row.settings) for item, row in ledger.images().items()}
            found.append((rows, ledger.answers("scripted"), ledger.failures()))
    assert found[0] == found[1]
    for file, _ in found[0][0].values():
        assert (one / file).read_bytes() == (many / file).read_bytes()


@pytest.mark.slow
def test_with_shared_storage_actors_write_the_images(tmp_path: Path) -> None:
    images = PLAN.images[:6]
    plan = replace(PLAN, images=images)
    crew = crew_of(Machine("cpu", engine="ray", workers=1, storage="shared"))
    assert crew is not None
    judge = judge_of(LightJudge(opinion), "cpu", Asking(), crew)
    with Ledger(tmp_path / "run.sqlite") as ledger, crew:
        drawn_by = Elsewhere(crew, DrawingWork(LightDrawer(LightModel(fits=2))))
        make_images(plan.images, drawn_by, SETTINGS, ledger, tmp_path, BatchSize(4))
        ask_judge(unanswered(plan, ledger, tmp_path), plan, judge, ledger, 4, crew)
        assert (len(ledger.images()), len(ledger.answers("scripted")), ledger.failures()) == (6, 6, {})
    for image in plan.images:
        (expected,) = LightModel().generate([image.text], [image.seed], SETTINGS)
        with Image.open(tmp_path / image.file) as written:
            assert written.tobytes() == expected.tobytes()
    assert not list(tmp_path.glob("images/*/.*"))
