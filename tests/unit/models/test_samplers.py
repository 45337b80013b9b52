"""Samplers by the names of other programs: the scheduler and flags they mean, or what there is instead."""

import copy
from pathlib import Path

import pytest
from tiny_families import draw, save, tiny

from dominance.errors import InputError
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.models.samplers import read_sampler, read_written
from dominance.models.schedulers import find_scheduler, use_scheduler

NAMES = {
    "DPM++ 2M Karras": "DPMSolverMultistepScheduler(use_karras_sigmas=True)",
    "DPM++ 2M SDE Karras": "DPMSolverMultistepScheduler(algorithm_type=sde-dpmsolver++, use_karras_sigmas=True)",
    "DPM++ SDE Karras": "DPMSolverSinglestepScheduler(use_karras_sigmas=True)",
    "DPM++ 3M SDE Exponential": (
        "DPMSolverMultistepScheduler(algorithm_type=sde-dpmsolver++, solver_order=3, use_exponential_sigmas=True)"
    ),
    "Euler a": "EulerAncestralDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "euler_ancestral normal": "EulerAncestralDiscreteScheduler",
    "Euler SGM Uniform": "EulerDiscreteScheduler(timestep_spacing=trailing)",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_2m/karras": "DPMSolverMultistepScheduler(use_karras_sigmas=True)",
    "dpmpp_2m_sde_gpu": "DPMSolverMultistepScheduler(algorithm_type=sde-dpmsolver++)",
    "uni_pc": "UniPCMultistepScheduler",
    "uni_pc_bh2": "UniPCMultistepScheduler(solver_type=bh2)",
    "LMS Karras": "LMSDiscreteScheduler(use_karras_sigmas=True)",
    "Heun": "HeunDiscreteScheduler",
    "DPM2 a": "KDPM2AncestralDiscreteScheduler",
    "dpm_2_ancestral": "KDPM2AncestralDiscreteScheduler",
    "DDIM": "DDIMScheduler",
    "LCM": "LCMScheduler",
    "DPM++ 2M SDE Heun": "DPMSolverMultistepScheduler(algorithm_type=sde-dpmsolver++, solver_type=heun)",
    "dpmpp_2m_sde_gpu karras": "DPMSolverMultistepScheduler(algorithm_type=sde-dpmsolver++, use_karras_sigmas=True)",
    "euler beta": "EulerDiscreteScheduler(use_beta_sigmas=True)",
    "k_euler_a": "EulerAncestralDiscreteScheduler",
    "PLMS": "PNDMScheduler",
}


@pytest.mark.parametrize(("name", "wanted"), NAMES.items())
def test_a_samplers_name_is_a_scheduler_with_its_flags(name: str, wanted: str) -> None:
    sampler = read_sampler(name)
    assert str(sampler) == wanted
    assert str(read_written(wanted) or wanted) == wanted


@pytest.mark.parametrize("name", ["", "DPM++ 2S a", "Euler Karrass", "Restart", "karras"])
def test_other_names_are_none(name: str) -> None:
    assert read_sampler(name) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of numpy, in diffusers' schedulers
def test_each_draws_on_a_model_and_is_noted(tmp_path: Path) -> None:
    source = find_model(str(save("sd1", tmp_path / "model")))
    for name in (
        "Euler a",
        "DPM++ 2M Karras",
        "DPM++ SDE Karras",
        "uni_pc",
        "LCM",
        "PLMS",
        "Heun",
        "LMS Karras",
        "Euler beta",
        "DPM++ 2M SDE Heun",
    ):
        pipeline = copy.deepcopy(tiny("sd1"))
        use_scheduler(pipeline, find_scheduler(name, source))
        draw(pipeline, steps=3)
    settings = Drawing(scheduler="DPM++ 2M Karras").settings(source)
    assert source.load(settings, Machine("cpu")).scheduler.config.use_karras_sigmas
    noted = source.describe(settings)
    assert noted["scheduler"] == "DPMSolverMultistepScheduler(use_karras_sigmas=True)"
    assert noted["scheduler_settings"]["class"] == "DPMSolverMultistepScheduler"  # ty: ignore
    assert noted["scheduler_settings"]["flags"] == {"use_karras_sigmas": True}  # ty: ignore
    assert Drawing(scheduler=settings.scheduler).settings(source) == settings
    assert Drawing(scheduler="DDIM").settings(source).scheduler is None


def test_what_a_model_cannot_use_lists_what_it_can(tmp_path: Path) -> None:
    diffusion = find_model(str(save("sd1", tmp_path / "sd1")))
    for name in ("nonsense", "DDIM Karras", "DDIMScheduler(nonsense=1)", "OsScheduler(a=1)"):
        with pytest.raises(
            InputError, match=r"cannot use the scheduler .*; give one of .*, or a sampler's name: Euler a"
        ):
            find_scheduler(name, diffusion)
    flow = find_model(str(save("flux", tmp_path / "flux")))
    for name in ("Euler", "euler simple"):
        assert find_scheduler(name, flow) is None
    with pytest.raises(
        InputError, match=r"'DPM\+\+ 2M Karras', since it was trained by flow matching; give flow-euler"
    ):
        find_scheduler("DPM++ 2M Karras", flow)
