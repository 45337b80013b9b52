"""Why a site's attention was not seen, and what to do about it."""

from collections.abc import Sequence

from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from dominance.probes.sites import AttentionSite, denoiser_of

_MOST_NAMED = 6


def why_unseen(pipeline: DiffusionPipeline, sites: Sequence[AttentionSite], step: int, ran: bool) -> str:
    """One line that names the sites, how they attend, and the next step.

    Args:
        ran: whether the sites' modules ran at all.
    """
    named = ", ".join(f"{site.layer} ({site.name})" for site in sites[:_MOST_NAMED])
    more = f" and {len(sites) - _MOST_NAMED} more" if len(sites) > _MOST_NAMED else ""
    layers = f"layer{'s' if len(sites) > 1 else ''} {named}{more}"
    if not ran:
        return f"the model did not run the attention of {layers} at step {step}; leave them out, or skip no blocks"
    denoiser = denoiser_of(pipeline)
    processor = getattr(denoiser.get_submodule(sites[0].name), "processor", None)
    kind = type(processor).__name__ if processor is not None else "a module without a processor"
    backend = getattr(processor, "_attention_backend", None)
    if backend is not None:
        kind += f" with the {getattr(backend, 'value', backend)!r} backend"
    return (
        f"the attention of {layers} cannot be seen: {kind} does not use torch's scaled_dot_product_attention;"
        f" {_remedy(pipeline, kind, backend is not None)}"
    )


def _remedy(pipeline: DiffusionPipeline, kind: str, backend: bool) -> str:
    part = "unet" if getattr(pipeline, "unet", None) is not None else "transformer"
    if backend:
        return f"call pipeline.{part}.reset_attention_backend()"
    if kind.startswith("Sliced"):
        return "call pipeline.disable_attention_slicing()"
    if kind.startswith("XFormers"):
        return "call pipeline.disable_xformers_memory_efficient_attention()"
    return f"leave these layers out, or restore the {part}'s default attention processors"
