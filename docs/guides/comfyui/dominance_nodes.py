"""Two nodes for ComfyUI: what the first step attends to, and which images keep every concept.

Copy this file into ComfyUI/custom_nodes/, and install dominance into ComfyUI's Python. Nothing of it needs diffusers'
pipelines: the first node looks through the attention patches of ComfyUI's own model, the second at finished images.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image

from dominance.judges.protocol import Judge, TaughtJudge
from dominance.judges.registry import load_judge
from dominance.mentions import concept_spans
from dominance.metrics import PAPER_LAYERS, PAPER_THRESHOLD, concept_attention, focus_score
from dominance.numbers import measure, plural
from dominance.records import Gate, Prompt, PromptResult, Suite
from dominance.report.parts.sentences import prompt_sentence
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.judging import questions_of
from dominance.runs.stages.scoring import score_image, score_prompt
from dominance.runs.store.plan import ask_all
from dominance.suites import load_questions
from dominance.suites.brackets import parse_prompt

CATEGORY = "dominance"
PROMPT = ("STRING", {"multiline": True, "default": "a [castle:landmark] and a [chair]"})
_SITE = re.compile(r"(input|middle|output)_blocks?\.(\d+)\..*\battn2$")
_COND = 0
"""How ComfyUI marks the samples that follow the prompt."""


@dataclass
class Attention:
    """The attention of every cross-attention layer to every token, in forward order, over heads and positions.

    Attributes:
        layers: of one forward, a row of token probabilities each; several forwards follow one another.
    """

    layers: list[torch.Tensor] = field(default_factory=list)

    def record(self, query: torch.Tensor, key: torch.Tensor, options: dict[str, Any]) -> None:
        """Adds a layer: ``mean over samples, heads and positions of softmax(q k / sqrt d)``, of the prompted samples.

        Args:
            query, key: sample, position or token, and heads times their width.
            options: ComfyUI's own, with ``n_heads`` and which samples are prompted.
        """
        heads, which = options["n_heads"], options.get("cond_or_uncond") or [_COND]
        parts = [
            (q, k)
            for q, k, kind in zip(query.chunk(len(which)), key.chunk(len(which)), which, strict=True)
            if kind == _COND
        ]
        if not parts:
            return
        q, k = (torch.cat(own).float().unflatten(-1, (heads, -1)).transpose(1, 2) for own in zip(*parts, strict=True))
        logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        self.layers.append(logits.softmax(-1).mean((0, 1, 2)).cpu())


def watched(model: Any, seen: Attention) -> tuple[Any, int]:
    """A clone of the model that tells of its cross-attention and draws the same; and how many layers that has.

    Raises:
        ValueError: it has none that a node may look at, or another node has replaced some.
    """
    from comfy.ldm.modules.attention import optimized_attention

    names = [name for name, _ in model.model.diffusion_model.named_modules()]
    sites = [found for name in names if (found := _SITE.search(name))]
    if not sites:
        raise ValueError(
            "this model has no cross-attention that ComfyUI lets a node look at; SD 1, SD 2 and SDXL have, FLUX and"
            " SD 3 have not: judge their images instead"
        )
    if model.model_options.get("transformer_options", {}).get("patches_replace", {}).get("attn2"):
        raise ValueError(
            "another node has replaced the cross-attention of this model, such as IPAdapter; look before it"
        )

    def replaced(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
        seen.record(query, key, options)
        return optimized_attention(query, key, value, options["n_heads"])

    clone = model.clone()
    for block, number in {(found[1], 0 if found[1] == "middle" else int(found[2])) for found in sites}:
        clone.set_model_attn2_replace(replaced, block, number)
    return clone, len(sites)


def columns_of(clip: Any, prompt: Prompt) -> tuple[list[int], list[list[int]]]:
    """The attention's columns of all the prompt's own tokens, and those of each concept.

    ComfyUI numbers tokens by words in some versions and by whole texts in others. So a concept's tokens are counted:
    those that the text has up to the end of its name, after those that it has before.

    Raises:
        ValueError: the prompt does not name a concept, or names it beyond what the model reads.
    """
    own = _own_columns(clip, prompt.text)
    concepts = []
    for name, places in concept_spans(prompt.text, [concept.name for concept in prompt.concepts]).items():
        counted = (
            range(len(_own_columns(clip, prompt.text[:start].rstrip())), len(_own_columns(clip, prompt.text[:end])))
            for start, end in places
        )
        concepts.append(sorted({own[place] for places in counted for place in places if place < len(own)}))
        if not concepts[-1]:
            raise ValueError(f"the prompt does not name its concept {name!r}, or beyond what the model reads")
    return own, concepts


def _own_columns(clip: Any, text: str) -> list[int]:
    """The columns of the text's own tokens: not of start, end and padding, whose word is 0."""
    encoders = clip.tokenize(text, return_word_ids=True)
    chunks = encoders.get("l") or encoders.get("g") or next(iter(encoders.values()))
    words = [entry[2] for chunk in chunks for entry in chunk]
    return [column for column, word in enumerate(words) if word]


class DominanceFirstStep:
    """Draws the first step from a few noises, and says which concept the model attends to."""

    CATEGORY, FUNCTION, OUTPUT_NODE = CATEGORY, "look", True
    RETURN_TYPES, RETURN_NAMES = ("STRING", "FLOAT"), ("report", "focus")
    DESCRIPTION = "The focus score of the first denoising step, from the cross-attention of SD 1, SD 2 and SDXL."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        """What the node takes."""
        return {
            "required": {
                "model": ("MODEL",),
                "clip": ("CLIP",),
                "latent": ("LATENT",),
                "prompt": PROMPT,
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**32}),
                "noises": ("INT", {"default": 8, "min": 1, "max": 64}),
                "steps": ("INT", {"default": 25, "min": 2, "max": 1000}),
                "layers": ("STRING", {"default": ",".join(map(str, PAPER_LAYERS))}),
            }
        }

    def look(
        self, model: Any, clip: Any, latent: Any, prompt: str, seed: int, noises: int, steps: int, layers: str
    ) -> dict[str, Any]:
        """The report, and the mean focus score."""
        import nodes

        marked = parse_prompt(prompt, "prompt")
        own, concepts = columns_of(clip, marked)
        if len(own) < 2:
            raise ValueError("the prompt has a single token; a focus needs two")
        positive, negative = (nodes.CLIPTextEncode().encode(clip, text)[0] for text in (marked.text, ""))
        rows = []
        for noise in range(seed, seed + noises):
            seen = Attention()
            clone, sites = watched(model, seen)
            one = {**latent, "samples": latent["samples"][:1]}
            nodes.common_ksampler(
                clone, noise, steps, 1.0, "euler", "normal", positive, negative, one, start_step=0, last_step=1
            )
            if len(seen.layers) < sites:
                raise ValueError(f"{len(seen.layers)} of {sites} layers were seen; another node draws in their place")
            rows.append(torch.stack(seen.layers[:sites]))
        attention = torch.stack(rows)[..., own]
        chosen = _chosen(layers, attention.shape[1])
        report, focus = _report(
            marked, attention[:, chosen], [[own.index(c) for c in part] for part in concepts], layers
        )
        return {"ui": {"text": [report]}, "result": (report, focus)}


def _chosen(layers: str, count: int) -> list[int]:
    """The indices of the layers, which are numbered from 1 in forward order."""
    numbers = [int(part) for part in layers.split(",") if part.strip().isdecimal()]
    if not numbers or not all(1 <= number <= count for number in numbers):
        raise ValueError(f"layers is {layers!r}; give numbers from 1 to {count}, such as 9,10")
    return [number - 1 for number in numbers]


def _report(
    prompt: Prompt, attention: torch.Tensor, concepts: Sequence[Sequence[int]], layers: str
) -> tuple[str, float]:
    """What was seen, in sentences; and the focus, averaged over noises and layers."""
    by_noise = focus_score(attention).mean(-1)
    focus = float(by_noise.mean())
    spread = (float(by_noise.min()), float(by_noise.max()))
    shares = concept_attention(attention, concepts).mean((0, 1))
    order = shares.argsort(descending=True).tolist()
    names = [concept.name for concept in prompt.concepts]
    said = [f"“{prompt.text}”, first step, layers {layers}, {plural(len(attention), 'noise')}:"]
    if len(order) > 1:
        first, last = order[0], order[-1]
        times = float(shares[first] / shares[last].clamp(min=1e-12))
        said.append(f"{names[first]} gets {times:.1f} times the attention of {names[last]}.")
    said.append(f"Focus score {measure(focus, spread)} over the noises.")
    said.append(
        f"The paper calls the risk high from {PAPER_THRESHOLD:.3f} on, for SD 1.4 at layers"
        f" {','.join(map(str, PAPER_LAYERS))}; this checkpoint has no rule of its own: compare prompts with it."
    )
    return "\n".join(said), focus


class DominanceJudge:
    """Judges finished images, and passes on those that show every concept."""

    CATEGORY, FUNCTION, OUTPUT_NODE = CATEGORY, "judge", True
    RETURN_TYPES, RETURN_NAMES = ("IMAGE", "STRING", "BOOLEAN"), ("usable", "report", "passed")
    DESCRIPTION = "Asks a judge five questions about each concept; stops what follows where no image shows all of them."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        """What the node takes."""
        return {
            "required": {
                "images": ("IMAGE",),
                "prompt": PROMPT,
                "judge": ("STRING", {"default": "qwen:Qwen/Qwen2-VL-7B-Instruct"}),
                "min_presence": ("FLOAT", {"default": 0.9, "min": 0.0, "max": 1.0, "step": 0.05}),
            }
        }

    def judge(self, images: torch.Tensor, prompt: str, judge: str, min_presence: float) -> dict[str, Any]:
        """The images that show every concept, the report, and whether the gate holds."""
        marked = parse_prompt(prompt, "prompt")
        result = judged(marked, pictures_of(images), judge)
        gate = judge_gate(Gate(min_presence=min_presence), [result])
        report = "\n".join([prompt_sentence(result), f"gate {'passed' if gate.passed else 'FAILED'}: {gate.reason}"])
        kept = [place for place, image in enumerate(result.images) if image.verdict == "balanced"]
        return {"ui": {"text": [report]}, "result": (images[kept] if kept else _nothing(report), report, gate.passed)}


@lru_cache(maxsize=1)
def loaded(judge: str) -> Judge:
    """The judge, kept from one run of the workflow to the next; another takes its place in memory."""
    return load_judge(judge)


def judged(prompt: Prompt, pictures: Sequence[Image.Image], judge: str) -> PromptResult:
    """The prompt's pictures with the judge's answers.

    Raises:
        ValueError: the judge was made for other pictures.
    """
    ready = loaded(judge)
    if isinstance(ready, TaughtJudge) and ready.world is not None:
        raise ValueError(f"the judge {judge} was made for the world {ready.world!r} only; give one of any picture")
    asked = questions_of(ready, ask_all(Suite("comfyui", (prompt,)), load_questions().ask))
    questions = [question for concept in prompt.concepts for question in asked[concept]]
    ready.check(questions)
    answers = ready.answer(list(pictures), [questions] * len(pictures))
    return score_prompt(prompt, [score_image(prompt, str(n), None, own) for n, own in enumerate(answers)])


def pictures_of(images: torch.Tensor) -> list[Image.Image]:
    """ComfyUI's batch (image, row, column, colour; 0 to 1) as pictures."""
    values = (images[..., :3].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return [Image.fromarray(np.ascontiguousarray(picture)) for picture in values]


def _nothing(report: str) -> Any:
    """What stops the nodes that follow, since there is no batch of no images."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return ExecutionBlocker(f"dominance: no image shows every concept: {report}")


NODE_CLASS_MAPPINGS: dict[str, Callable[..., Any]] = {
    "DominanceFirstStep": DominanceFirstStep,
    "DominanceJudge": DominanceJudge,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "DominanceFirstStep": "Dominance: first step",
    "DominanceJudge": "Dominance: judge",
}
