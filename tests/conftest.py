"""Fixtures that many tests share: a tiny random pipeline and judge, and judges whose answers are known."""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jaxtyping import install_import_hook

pytest_plugins = ("golden",)

SHAPED = (
    "dominance.diversity.embedders",
    "dominance.judges.blip",
    "dominance.metrics.bootstrap",
    "dominance.metrics.detection",
    "dominance.metrics.diversity",
    "dominance.metrics.dynamics",
    "dominance.metrics.focus",
    "dominance.metrics.logistic",
    "dominance.metrics.memorization",
    "dominance.metrics.ranks",
    "dominance.metrics.samples",
    "dominance.metrics.shapley",
    "dominance.probes.first_step",
    "dominance.runs.ablation.interactions",
    "dominance.runs.risk.calibration",
    "dominance.report.explanation.maps",
    "dominance.report.explanation.map_sentences",
    "dominance.report.explanation.sentences",
    "dominance.runs.risk.examples",
    "dominance.runs.explanation.result",
    "dominance.runs.stages.first_steps",
    "dominance.probes.calls",
    "dominance.probes.interception",
    "dominance.probes.noise_norm",
    "dominance.probes.rebalancing",
    "dominance.probes.recording",
    "dominance.probes.reduction",
    "dominance.training.backbones.protocol",
    "dominance.training.backbones.transformer",
    "dominance.training.backbones.unet",
    "dominance.training.denoiser",
    "dominance.training.dreambooth.batches",
    "dominance.training.dreambooth.encoded",
    "dominance.training.dreambooth.families.flow",
    "dominance.training.dreambooth.families.flux",
    "dominance.training.dreambooth.families.pixart",
    "dominance.training.dreambooth.families.protocol",
    "dominance.training.dreambooth.families.sd3",
    "dominance.training.dreambooth.families.shared",
    "dominance.training.dreambooth.families.timesteps",
    "dominance.training.dreambooth.families.unet",
    "dominance.training.dreambooth.pictures",
    "dominance.training.images",
    "dominance.training.patches",
)
install_import_hook(SHAPED, "beartype.beartype")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # in the commands that tests start, as in one_thread
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def pytest_configure() -> None:
    """Started in the background of a shell, tests inherit an ignored Ctrl-C, and so would the commands they stop."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run two at a time on two cores; more threads only get in each other's way."""
    import torch

    torch.set_num_threads(1)
    gc.freeze()  # what collection has imported; each run that lets go of a model would search all of it for garbage


@pytest.fixture(scope="module")
def few_steps() -> Iterator[None]:
    """Pictures of models that learned nothing need no 25 steps."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dominance.training.miniature.SAMPLING_STEPS", 2)
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder of random weights, 32×32 pictures, that draws in milliseconds."""
    import torch

    from dominance.training.autoencoder import new_autoencoder
    from dominance.training.backbones.unet import UNetBackbone
    from dominance.training.denoiser import Denoiser
    from dominance.training.miniature import patch_code

    denoiser = Denoiser.new(UNetBackbone((16, 16, 16, 16)), seed=0, sample_size=8)
    pipeline = denoiser.assemble(new_autoencoder(patch_code(), 0))
    folder = tmp_path_factory.mktemp("tiny") / "model"
    pipeline.to(dtype=torch.float16).save_pretrained(folder)
    (folder / "dominance.json").write_text(json.dumps({"steps": 2, "guidance": 3.0, "world": "miniature"}))
    return folder


@pytest.fixture(scope="session")
def tiny_judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP-VQA folder of random weights that knows the miniature world's words."""
    from dominance.suites import load_questions
    from dominance.training.judge import JudgeSettings, new_judge, save_judge
    from dominance.training.judge_questions import Catechism

    catechism = Catechism(load_questions().ask)
    settings = JudgeSettings(width=32, vision_layers=1, text_layers=1)
    return save_judge(new_judge(settings, catechism.tokenizer), catechism, tmp_path_factory.mktemp("judge") / "judge")


@dataclass(frozen=True)
class Finished:
    """A command that has run in this process: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document that is all of standard output."""
        return json.loads(self.out)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Runs ``dominance`` with these arguments as the shell would, but in this process."""
    from dominance.cli.app import main

    def run(*arguments: object) -> Finished:
        monkeypatch.setenv("COLUMNS", "240")  # no cell of a table wraps
        monkeypatch.setattr(sys, "argv", ["dominance", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Finished(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def quick_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What a script executes in place of ``dominance``: the same command, without the time of its imports."""
    from quick_start import QuickStart

    started = QuickStart(tmp_path_factory.mktemp("quick"))
    yield started.command
    started.stop()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of a user's, of text or bytes."""

    def write(data: bytes | str, name: str = "file.yaml") -> Path:
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return tmp_path / name

    return write
