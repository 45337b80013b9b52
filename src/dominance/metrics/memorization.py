"""How strongly a text moves what the denoiser predicts: the text-conditional noise norm."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError

FIRST_STEPS = 10
"""Steps of the second summary. Source: Wen et al. (2024), which looks at step 1, at 10 steps and at all."""


def conditional_norm(
    conditional: Float[Tensor, "image *latent"], unconditional: Float[Tensor, "image *latent"], scale: float = 1.0
) -> Float[Tensor, " image"]:
    """``m = scale · ‖conditional − unconditional‖₂`` over all values of each image's latent, float32.

    Args:
        scale: what turns a difference of the model's outputs into one of predicted noises; see ``noise_scale``.

    Source: Wen et al. (2024), "Detecting, Explaining, and Mitigating Memorization in Diffusion Models", equation 3.
    """
    difference = (conditional.float() - unconditional.float()).flatten(1)
    return scale * difference.norm(dim=1)


def noise_scale(prediction: str, signal: float) -> float:
    """By how much a difference of predictions is to be multiplied to be one of predicted noises.

    At a noisy ``x = a · x0 + s · ε`` with ``a² + s² = 1``, noise is ``ε = a · v + s · x`` by velocity and
    ``ε = (x − a · x0) / s`` by sample; x is the same with and without the text and cancels.

    Args:
        prediction: ``epsilon``, ``v_prediction`` or ``sample``.
        signal: a, from 0 to 1.

    Raises:
        InputError: another prediction.

    Source: Salimans & Ho (2022), appendix D, for velocity.

    >>> noise_scale("epsilon", 0.6), noise_scale("v_prediction", 0.6)
    (1.0, 0.6)
    """
    if prediction == "epsilon":
        return 1.0
    if prediction == "v_prediction":
        return signal
    if prediction == "sample":
        return signal / max(1e-12, (1 - signal * signal) ** 0.5)
    raise InputError(f"no prediction {prediction!r}; give epsilon, v_prediction or sample")


@dataclass(frozen=True)
class NormSummary:
    """The norm at step 1, its mean over the first ten steps, and over all; fewer than ten steps are their own ten."""

    first: float
    ten: float
    all: float


def summarised(norms: Sequence[float]) -> NormSummary:
    """The three summaries of one image's norms, in the order of the steps.

    Raises:
        InputError: no steps.

    >>> summarised([4.0, 2.0])
    NormSummary(first=4.0, ten=3.0, all=3.0)
    """
    if not norms:
        raise InputError("no steps; give one or more")
    early = norms[:FIRST_STEPS]
    return NormSummary(norms[0], sum(early) / len(early), sum(norms) / len(norms))
