"""Which engine a command runs on."""

import contextlib

from dominance.models.drawing import Machine
from dominance.runs.engines.crew import Crew


def crew_of(machine: Machine) -> Crew | None:
    """The workers that the options ask for, none of them started yet; None where this process does all the work.

    Raises:
        ModelError: the engine is not installed.
        InputError: nobody answers at its address.
    """
    if not machine.shares:
        return None
    if machine.engine == "ray":
        from dominance.runs.engines.ray import RayPlace, check_ray

        check_ray(machine.address)
        return Crew(RayPlace(machine), machine.worker_minutes)
    from dominance.runs.engines.local import LocalPlace

    return Crew(LocalPlace(machine), machine.worker_minutes)


def at_work(crew: Crew | None) -> contextlib.AbstractContextManager[object]:
    """Ends the workers, if there are any, when the block ends."""
    return contextlib.nullcontext() if crew is None else crew
