"""Noise schedulers, by the short names that people use and by their diffusers classes."""

import hashlib
import inspect
import json
from typing import TYPE_CHECKING, Any

from dominance.errors import InputError
from dominance.models.folders import ModelFolder
from dominance.models.pipeline_classes import read_settings
from dominance.models.samplers import EXAMPLES, Sampler, read_sampler, read_written

if TYPE_CHECKING:
    from dominance.models.source import ModelSource

SHORT_NAMES: dict[str, str] = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "pndm": "PNDMScheduler",
    "lms": "LMSDiscreteScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "dpm2": "KDPM2DiscreteScheduler",
    "dpm2-a": "KDPM2AncestralDiscreteScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "dpm++-single": "DPMSolverSinglestepScheduler",
    "dpm++-sde": "DPMSolverSDEScheduler",
    "unipc": "UniPCMultistepScheduler",
    "deis": "DEISMultistepScheduler",
    "edm-euler": "EDMEulerScheduler",
    "lcm": "LCMScheduler",
    "tcd": "TCDScheduler",
    "flow-euler": "FlowMatchEulerDiscreteScheduler",
}
_INSISTED: dict[str, dict[str, object]] = {"PNDMScheduler": {"skip_prk_steps": True}}
"""As Stable Diffusion sets it: its warm-up takes more steps than were asked, and fails where few were."""
_MAIN = (
    "prediction_type",
    "beta_schedule",
    "beta_start",
    "beta_end",
    "num_train_timesteps",
    "timestep_spacing",
    "steps_offset",
    "clip_sample",
    "set_alpha_to_one",
    "shift",
    "use_dynamic_shifting",
)


def find_scheduler(asked: str | None, source: "ModelSource") -> str | None:
    """The class to put in the place of the model's own scheduler, with its flags; None where it is the model's own.

    Args:
        asked: a short name, a diffusers class, or a sampler of A1111 or ComfyUI, in any case of letters.

    Raises:
        InputError: no such scheduler, or none that this model can use; the message lists those that it can.
    """
    if asked is None:
        return None
    own = source.scheduler
    if own is None:
        raise InputError(f"the model {source.name!r} has no scheduler to replace; leave out --scheduler")
    usable = _compatible(own)
    by_any_name = {name.lower(): name for name in usable}
    by_any_name |= {name.lower().removesuffix("scheduler"): name for name in usable}
    by_any_name |= {short: name for short, name in SHORT_NAMES.items() if name in usable}
    found = by_any_name.get(asked.strip().lower())
    if found is not None:
        return None if found == own else found
    flow = own.startswith("FlowMatch")
    sampler = None if not flow and asked.strip().lower() in SHORT_NAMES else _in_flow(read_sampler(asked), own)
    if sampler is None or sampler.kind not in usable or not _takes(sampler):
        listed = ", ".join(_shown(name) for name in sorted(usable))
        other = "" if flow else f", or a sampler's name: {EXAMPLES}"
        raise InputError(
            f"the model {source.name!r} cannot use the scheduler {asked[:60]!r}"
            f"{', since it was trained by flow matching' if flow else ''}; give"
            f" {'one of ' if ',' in listed else ''}{listed}{other or ', or leave out --scheduler'}"
        )
    return None if str(sampler) == own else str(sampler)


def _in_flow(sampler: Sampler | None, own: str) -> Sampler | None:
    """What a model that was trained by flow matching has under a sampler's name."""
    if sampler is None or not own.startswith("FlowMatch"):
        return sampler
    kind = "FlowMatchEulerDiscreteScheduler" if sampler.kind == "EulerDiscreteScheduler" else sampler.kind
    return Sampler(kind, {name: value for name, value in sampler.flags.items() if name != "timestep_spacing"})


def _takes(sampler: Sampler) -> bool:
    """Whether the scheduler's class has the flags."""
    import diffusers

    return sampler.flags.keys() <= inspect.signature(getattr(diffusers, sampler.kind).__init__).parameters.keys()


def _shown(name: str) -> str:
    return next((short for short, known in SHORT_NAMES.items() if known == name), name)


def _compatible(own: str) -> set[str]:
    """Classes that can stand in for a scheduler, without those whose packages are missing.

    Diffusers also lists some that know no schedule of betas and would denoise a model that was trained on one by
    another; these are left out as well.
    """
    import diffusers

    kind = getattr(diffusers, own, None)
    listed = [] if kind is None else list(kind._get_compatibles())
    if diffusers.DDIMScheduler in listed:  # which they are made for, and diffusers does not list
        listed += [diffusers.LCMScheduler, diffusers.TCDScheduler]
    # What lacks an optional package is there as a stand-in that raises when it is made.
    present = [found for found in listed if not hasattr(found, "_backends")]
    by_betas = _knows_betas(kind)
    return {found.__name__ for found in present if _knows_betas(found) == by_betas} | {own}


def _knows_betas(kind: type | None) -> bool:
    return kind is not None and "beta_schedule" in inspect.signature(kind.__init__).parameters


def use_scheduler(pipeline: Any, name: str | None) -> None:
    """Puts a scheduler of that class in the place of the pipeline's own, with the own one's noise schedule."""
    if name is not None:
        import diffusers

        own = dict(pipeline.scheduler.config)
        if getattr(pipeline, "vae", None) is not None:
            own.setdefault("clip_sample", False)  # right for pixels, and the default of some; latents exceed 1
        sampler = read_written(name) or Sampler(name, {})
        flags = {**_INSISTED.get(sampler.kind, {}), **sampler.flags}
        pipeline.scheduler = getattr(diffusers, sampler.kind).from_config(own, **flags)


def describe_scheduler(folder: ModelFolder, name: str | None) -> dict[str, object]:
    """For the manifest: the class in use, the main settings it takes from the model, and the hash of all of them."""
    file = folder.path / "scheduler" / "scheduler_config.json"
    if folder.scheduler is None or not file.is_file():
        return {"class": name or folder.scheduler}
    sampler = None if name is None else read_written(name)
    record = scheduler_record(folder.scheduler if name is None else name.partition("(")[0], read_settings(file))
    return record if sampler is None else {**record, "flags": dict(sampler.flags)}


def scheduler_record(name: str | None, config: dict[str, Any]) -> dict[str, object]:
    """The class, its main settings, and the hash of all of them."""
    kept = {key: value for key, value in config.items() if not key.startswith("_")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:24]
    main = {key: kept[key] for key in _MAIN if key in kept}
    return {"class": name, "config": main, "config_hash": f"sha256:{digest}"}
