"""Workers on a Ray cluster: actors that Ray places by what they need, a GPU or a core.

Without an address, Ray starts on this machine and listens on the loopback address alone.
"""

import importlib.util
import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from dominance.errors import InputError, ModelError, RunError
from dominance.models.drawing import Machine
from dominance.numbers import plural
from dominance.runs.engines.cargo import Cargo, Load, unloaded
from dominance.runs.engines.crew import Worker
from dominance.runs.engines.holder import Holder
from dominance.runs.engines.work import Ended, Hold, Message, Raised, Reply, Sent
from dominance.wording import complaint, on_one_line

_ANSWERS_WITHIN = 5.0
"""Seconds in which an address must answer."""
_LOOPBACK = "127.0.0.1"
_PATIENCE = 30.0
"""Seconds without an answer after which that is said once."""


def check_ray(address: str | None) -> None:
    """Whether the engine can be used at all, in a moment and without loading it.

    Raises:
        ModelError: Ray is not installed.
        InputError: nobody answers at the address.
    """
    if importlib.util.find_spec("ray") is None:
        raise ModelError("the engine ray needs Ray; install it: pip install 'dominance[ray]'")
    if address is None or address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or "/" in host:
        raise InputError(
            f"the address {on_one_line(address, 80)!r} is not that of a Ray cluster; give HOST:PORT, or auto"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"nobody answers at the address {on_one_line(address, 80)} ({complaint(error)}); give that of a running"
            " cluster, or leave it out to start Ray on this machine"
        ) from None


class Actor(Holder):
    """What a worker does, with the files of the sender where its node has none."""

    def hold(self, sent: Sent, loads: dict[str, Load]) -> Reply | None:
        """Loads what is sent."""
        import ray

        return self.answer(Hold(sent), unloaded(loads, ray.get))


class RayWorker:
    """An actor, with the replies that it owes."""

    def __init__(self, name: str, actor: Any, ray: ModuleType, cargo: Cargo) -> None:
        self.name, self.owes = name, deque[Any]()
        self._actor, self._ray, self._cargo = actor, ray, cargo

    def give(self, message: Message) -> None:
        if isinstance(message, Hold):  # large, and the same for all workers of a node
            self.owes.append(self._actor.hold.remote(self._cargo.kept(message.sent), self._cargo.loads(message.sent)))
        else:
            self.owes.append(self._actor.answer.remote(message))

    def reply(self) -> Reply | None:
        """The oldest reply that is there; None where none was due."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(self.owes.popleft())
        except errors.RayTaskError as error:
            return Raised(RuntimeError(f"in a worker: {error}"))
        except errors.OutOfMemoryError:
            return Ended("was ended by Ray, because its node ran out of memory")
        except errors.RayError as error:
            return Ended(f"is lost ({on_one_line(complaint(error), 160)})")

    def stop(self) -> None:
        self.owes.clear()
        self._ray.kill(self._actor)


class RayPlace:
    """A Ray cluster.

    Args:
        machine: how many workers, where the cluster is, and what its nodes share.
    """

    starts_at_once = False  # an actor waits until the cluster has room for it

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._ray: ModuleType | None = None
        self._own = False
        self._cargo: Cargo | None = None
        self._needs: dict[str, Any] = {}
        self._most = machine.workers or 1
        self._heard = 0.0
        self.writes_files = machine.storage == "shared"
        self.reads_files = self.writes_files or machine.address is None

    def most(self) -> int:
        self._connected()
        return self._most

    def start(self, number: int) -> RayWorker:
        ray, cargo = self._connected(), self._cargo
        if cargo is None:
            raise RuntimeError("connected without cargo")
        self._heard = time.monotonic()
        actor: Any = ray.remote(Actor)
        return RayWorker(f"worker {number}", actor.options(max_restarts=0, **self._needs).remote(), ray, cargo)

    def replies(self, workers: list[Worker], seconds: float) -> Iterator[tuple[Worker, Reply]]:
        ray = self._connected()
        owing = {worker.owes[0]: worker for worker in workers if isinstance(worker, RayWorker) and worker.owes}
        ready, _ = ray.wait(list(owing), num_returns=1, timeout=min(seconds, _PATIENCE))
        if ready:
            ready, _ = ray.wait(list(owing), num_returns=len(owing), timeout=0)
        for ref in ready:
            self._heard = time.monotonic()
            if (reply := owing[ref].reply()) is not None:
                yield owing[ref], reply
        if not ready and time.monotonic() - self._heard > _PATIENCE:
            self._heard = float("inf")
            needed = "a GPU" if "num_gpus" in self._needs else "a core"
            sys.stderr.write(
                f"note: no worker has answered for {_PATIENCE:.0f} s; each is still at work, or waits for {needed} of"
                " the cluster\n"
            )

    def close(self) -> None:
        """Lets go of the cluster; ends it if it was started here."""
        if self._ray is not None and self._own:
            self._ray.shutdown()
        self._ray = self._cargo = None

    def _connected(self) -> ModuleType:
        if self._ray is None:
            self._ray = self._connect()
            self._cargo = Cargo(self._ray.put, shared=self.reads_files)
            self._measure(self._ray)
        return self._ray

    def _connect(self) -> ModuleType:
        """Raises a RunError if there is no cluster at the address, or none can be started."""
        machine = self._machine
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if machine.address is None:
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        import ray

        if ray.is_initialized():  # by the caller, who knows why
            return ray
        where: dict[str, Any] = {"address": machine.address}
        if machine.address is None:
            cores = max(os.cpu_count() or 1, self._most)
            where = {"address": "local", "num_cpus": cores, "_node_ip_address": _LOOPBACK, "include_dashboard": False}
        try:
            ray.init(**where, logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:  # whatever Ray raises
            place = f"at {on_one_line(machine.address, 80)}" if machine.address else "on this machine"
            raise RunError(f"there is no Ray cluster {place} ({on_one_line(complaint(error), 200)})") from None
        self._own = True
        return ray

    def _measure(self, ray: ModuleType) -> None:
        """What a worker needs, and how many the cluster has room for."""
        there = ray.cluster_resources()
        gpus, cores = int(there.get("GPU", 0)), int(there.get("CPU", 0))
        on_gpu = self._machine.device != "cpu" and gpus > 0
        room, what = (gpus, "GPU") if on_gpu else (cores, "core")
        self._most = self._machine.workers or max(1, room)
        if self._most > room:
            sys.stderr.write(f"note: {self._most} workers, but the cluster has {plural(room, what)}\n")
        threads = "1" if not on_gpu else ""
        self._needs = {"num_gpus": 1} if on_gpu else {"num_cpus": 1}
        variables = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads} if threads else {}
        if self._machine.address is None:
            variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._needs["runtime_env"] = {"env_vars": variables}
