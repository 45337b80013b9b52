"""Workers on this machine: a process a device, or a few on the CPU, which divide its threads."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait

from dominance.allocator import collect_seldom, keep_freed_memory
from dominance.models.drawing import Machine
from dominance.numbers import plural
from dominance.runs.engines.crew import Worker
from dominance.runs.engines.holder import Holder
from dominance.runs.engines.work import Ended, Message, Reply

_LONGEST = 86_400.0
"""Seconds of one wait, which the system bounds; then there is another."""
_BEGIN = "import sys; sys.path[:] = {path!r}; from dominance.runs.engines.local import serve; serve({pipe})"


class LocalWorker:
    """A process of its own, at the other end of a pipe; it ends when this process does, however that ends."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self.pipe, far_end = Pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``stop``
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", _BEGIN.format(path=sys.path, pipe=far_end.fileno())],
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            env={**os.environ, **environment},
            pass_fds=(far_end.fileno(),),
        )
        far_end.close()

    def give(self, message: Message) -> None:
        try:
            self.pipe.send(message)
        except OSError:
            return  # it has ended, which the pipe says when it is read

    def reply(self) -> Reply:
        """What it says, or how it ended."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return Ended(self._end())

    def _end(self) -> str:
        status = self.process.wait()
        if status < 0:
            killed = f"was killed by {signal.Signals(-status).name}"
            return f"{killed}, as when memory runs out" if -status == signal.SIGKILL else killed
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f"ended with status {status}" + (f" ({lines[-1][:200]})" if lines else "")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.pipe.close()
        self._said.close()


class LocalPlace:
    """The machine of the command itself."""

    reads_files = True
    writes_files = False
    starts_at_once = True

    def __init__(self, machine: Machine) -> None:
        self._device, self._workers = machine.device, machine.workers or 1
        self._environments: list[dict[str, str]] = []
        self._started: list[tuple[int, LocalWorker]] = []

    def most(self) -> int:
        return self._workers

    def start(self, number: int) -> LocalWorker:
        if not self._environments:
            self._environments = environments(self._device, self._workers)
        self._started = [(at, worker) for at, worker in self._started if worker.process.poll() is None]
        taken = Counter(at for at, _ in self._started)
        at = min(range(len(self._environments)), key=lambda index: taken[index])  # the place of one that is gone
        worker = LocalWorker(f"worker {number}", self._environments[at])
        self._started.append((at, worker))
        return worker

    def replies(self, workers: list[Worker], seconds: float) -> Iterator[tuple[Worker, Reply]]:
        by_pipe = {worker.pipe: worker for worker in workers if isinstance(worker, LocalWorker)}
        for pipe in wait(list(by_pipe), min(seconds, _LONGEST)):
            worker = by_pipe[pipe]  # ty: ignore
            yield worker, worker.reply()

    def close(self) -> None:
        """Nothing outlives its workers."""


def environments(device: str, workers: int) -> list[dict[str, str]]:
    """What differs between the workers: the GPU that each sees, or its share of the threads of the CPU.

    More workers than there are devices are said on standard error.
    """
    if device == "cpu":  # known without torch
        return _on_cpu(workers)
    from dominance.models.devices import find_device

    found = find_device(device)
    if found.type == "cpu":
        return _on_cpu(workers)
    if found.type == "cuda":
        import torch

        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        seen = seen if seen != [""] else [str(index) for index in range(torch.cuda.device_count())]
        gpus = seen if found.index is None or device in ("auto", "cuda") else [seen[found.index]]
        _say_more(workers, len(gpus), "GPU")
        return [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus]
    _say_more(workers, 1, "GPU")
    return [{}]


def _on_cpu(workers: int) -> list[dict[str, str]]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    _say_more(workers, cores, "core")
    threads = str(max(1, cores // workers))
    return [{name: os.environ.get(name, threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}]


def _say_more(workers: int, devices: int, what: str) -> None:
    if workers > devices:
        sys.stderr.write(f"note: {workers} workers share {plural(devices, what)}, so that they wait for each other\n")


def serve(pipe: int) -> None:
    """The life of a worker: answers messages until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the run says what becomes of it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_freed_memory()
    collect_seldom()
    holder, connection = Holder(), Connection(pipe)
    while True:
        try:
            reply = holder.answer(connection.recv())
            if reply is not None:
                connection.send(reply)
        except (EOFError, OSError):
            return


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone: nothing else holds the other end of standard input."""
    sys.stdin.buffer.read()
    os._exit(1)
