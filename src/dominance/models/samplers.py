"""Samplers by the names of A1111 and ComfyUI: the diffusers scheduler of each, and what is set on it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SDE = {"algorithm_type": "sde-dpmsolver++"}
_SAMPLERS: dict[str, tuple[str, dict[str, object]]] = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2 a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpm++ 2m": ("DPMSolverMultistepScheduler", {}),
    "dpm++ 2m sde": ("DPMSolverMultistepScheduler", _SDE),
    "dpm++ 2m sde heun": ("DPMSolverMultistepScheduler", {**_SDE, "solver_type": "heun"}),
    "dpm++ 3m sde": ("DPMSolverMultistepScheduler", {**_SDE, "solver_order": 3}),
    "dpm++ sde": ("DPMSolverSinglestepScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "plms": ("PNDMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "unipc bh2": ("UniPCMultistepScheduler", {"solver_type": "bh2"}),
    "deis": ("DEISMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
}
_SCHEDULES: dict[str, dict[str, object]] = {
    "": {},
    "normal": {},
    "automatic": {},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
    "sgm uniform": {"timestep_spacing": "trailing"},
    "simple": {"timestep_spacing": "trailing"},
    "uniform": {"timestep_spacing": "leading"},
    "ddim uniform": {"timestep_spacing": "leading"},
}
_WRITTEN = re.compile(r"(?P<kind>\w+Scheduler)\((?P<flags>[^()]*)\)")
EXAMPLES = "Euler a, DPM++ 2M Karras, DPM++ 2M SDE, UniPC, LCM, or ComfyUI's such as dpmpp_2m karras"


@dataclass(frozen=True)
class Sampler:
    """A diffusers scheduler and what is set on it.

    Attributes:
        kind: its class.
        flags: arguments of the class, over those of the model's own scheduler.
    """

    kind: str
    flags: Mapping[str, object]

    def __str__(self) -> str:
        flags = ", ".join(f"{name}={value}" for name, value in sorted(self.flags.items()))
        return f"{self.kind}({flags})" if flags else self.kind


def read_sampler(text: str) -> Sampler | None:
    """The scheduler that other programs call so, alone or with its schedule; None where there is none.

    >>> str(read_sampler("DPM++ 2M Karras")), str(read_sampler("euler_ancestral"))
    ('DPMSolverMultistepScheduler(use_karras_sigmas=True)', 'EulerAncestralDiscreteScheduler')

    Source: the table of schedulers in the documentation of diffusers, for the names of k-diffusion and A1111.
    """
    written = read_written(text)
    if written is not None:
        return written
    words = re.sub(r"[\s_/,-]+", " ", text.lower()).strip().replace("dpmpp", "dpm++").replace("ancestral", "a")
    words = words.replace("uni pc", "unipc").replace("dpm 2", "dpm2").removeprefix("k ").replace(" gpu", "")
    for name in sorted(_SAMPLERS, key=len, reverse=True):
        if words == name or words.startswith(f"{name} "):
            schedule = _SCHEDULES.get(words.removeprefix(name).strip())
            kind, flags = _SAMPLERS[name]
            return None if schedule is None else Sampler(kind, {**flags, **schedule})
    return None


def read_written(text: str) -> Sampler | None:
    """A sampler as the settings of a run record it; None where the text is none with flags."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    pairs = [pair.partition("=") for pair in found["flags"].split(",")]
    return Sampler(found["kind"], {name.strip(): _value(value.strip()) for name, _, value in pairs})


def _value(text: str) -> object:
    if text in ("True", "False"):
        return text == "True"
    return int(text) if text.isdecimal() else text
