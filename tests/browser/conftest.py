"""A browser, and runs whose images are drawn by the miniature world's renderer and answered from the truth."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import Picture, render
from dominance.miniature.scene import Scene
from dominance.miniature.truth import true_answers
from dominance.miniature.world import DEFAULT_DIVERSITY, pair_scene, random_backdrop, single_scene
from dominance.records import Answer, Concept, Gate, Prompt, RunResult, ScoredImage
from dominance.run_settings import RunSettings
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.suites import load_questions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

SEEDS = (1825, 410, 4507, 4013, 3658, 2287, 1680, 8936, 1425, 9675)
"""Of the official release."""

Outcome = str
"""What an image shows: ``both``, ``first``, ``second`` or ``none`` of the concepts; a ``silent`` judge; ``unmade``;
``unsure``: both, but the judge doubts the second."""


def draw(prompt: Prompt, outcome: Outcome, seed: int) -> Picture:
    """A picture of the miniature world in which the concepts came out as ``outcome`` says."""
    rng = np.random.default_rng(seed)
    names = [concept.name for concept in prompt.concepts]
    if outcome == "none":
        return render(Scene(random_backdrop(rng), ()))
    if outcome in {"first", "second"} or len(names) == 1:
        concept = names[outcome == "second"]
        return render(single_scene(concept, DEFAULT_DIVERSITY[concept], rng))
    return render(pair_scene((names[0], names[1]), DEFAULT_DIVERSITY, rng))


def judged(prompt: Prompt, outcome: Outcome, seed: int, folder: Path) -> ScoredImage:
    """Draws, saves and scores one image."""
    if outcome == "unmade":
        return score_image(prompt, str(seed), None, (), "the model ran out of memory", seed)
    picture, rng = draw(prompt, outcome, seed), np.random.default_rng(seed)
    file = Path("images") / prompt.id / f"{seed}.png"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.pixels).save(folder / file)
    answers = []
    for concept in prompt.concepts:
        truths = true_answers(concept.name, picture.truths)
        for question, yes in zip(load_questions().ask(concept), truths, strict=True):
            p_yes = float(rng.uniform(0.8, 1.0) if yes else rng.uniform(0.0, 0.2))
            p_yes = 0.6 if outcome == "unsure" and concept is prompt.concepts[-1] else p_yes
            answers.append(Answer(question, yes, p_yes))
    if outcome == "silent":
        answers[-1] = Answer(answers[-1].question, None, None, "the judge answered “maybe”")
    return score_image(prompt, str(seed), str(file), answers, seed=seed)


def pair(first: str, second: str, group: str | None = None) -> Prompt:
    concepts = tuple(Concept(name, BY_NAME[name].kind) for name in (first, second))
    return Prompt(f"{first}-{second}", f"a {first} and a {second}", concepts, group)


@pytest.fixture(scope="session")
def drawn_run() -> Callable[..., RunResult]:
    """A function from a plan (prompts, each with the outcomes of its images) to a scored run with files."""

    def build(plan: Sequence[tuple[Prompt, Sequence[Outcome]]], folder: Path, gate: Gate | None = None) -> RunResult:
        prompts = tuple(
            score_prompt(
                prompt, [judged(prompt, what, seed, folder) for what, seed in zip(outcomes, SEEDS, strict=False)]
            )
            for prompt, outcomes in plan
        )
        return RunResult(
            run=folder.name,
            suite="entity-object",
            model="miniature",
            judge="miniature",
            settings=RunSettings(SEEDS, 25, 5.0, scheduler="DDIM", more={"method": None}),
            prompts=prompts,
            groups=score_groups(prompts),
            gate=None if gate is None else judge_gate(gate, prompts),
            manifest={
                "versions": {"dominance": "0.1.0", "python": "3.11.9", "torch": "2.13.0", "diffusers": "0.42.1"},
                "hardware": {"device": "cpu", "threads": 2},
                "model files": [{"file": "unet/diffusion_pytorch_model.safetensors", "sha256": "9f2c" * 16}],
                "questions": "dominance-5",
            },
        )

    return build


@pytest.fixture(scope="session")
def audit_plan() -> list[tuple[Prompt, tuple[Outcome, ...]]]:
    """An ordinary audit: entities take over from objects, objects from each other hardly ever."""
    ten = ("first",) * 10
    return [
        (pair("tower", "mug", "entity–object"), ten),
        (pair("robot", "umbrella", "entity–object"), (*ten[:8], "both", "second")),
        (pair("pagoda", "book", "entity–object"), (*ten[:7], "both", "silent", "unmade")),
        (pair("castle", "lamp", "entity–object"), (*ten[:4], "both", "both", "both", "none", "none", "silent")),
        (pair("clown", "chair", "entity–object"), ("none",) * 8 + ("first", "both")),
        (pair("mug", "umbrella", "object–object"), ("both",) * 10),
        (pair("book", "lamp", "object–object"), ("both",) * 9 + ("second",)),
        (pair("clock", "shirt", "object–object"), ("both",) * 8 + ("first", "silent")),
        (pair("chair", "bottle", "object–object"), ("unmade",) * 10),
        (Prompt("tower", "a tower", (Concept("tower", "landmark"),), "single"), ("first",) * 9 + ("none",)),
    ]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium; the tests that use it are skipped where there is none."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_file(browser):
    """A function that opens a page; at the end, no page may have had an error or asked for anything."""
    contexts, troubles = [], []

    def build(
        path: Path, width: int = 1200, scheme: str = "light", javascript: bool = True, linked: bool = False
    ) -> "Page":
        own = ("data:", f"{path.parent.as_uri()}/images/") if linked else ("data:",)
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=javascript
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: request.url.startswith(own) or troubles.append(f"request: {request.url[:99]}"),
        )
        page.goto(path.as_uri())
        troubles.remove(f"request: {path.as_uri()[:99]}")
        return page

    yield build
    for context in contexts:
        context.close()
    assert troubles == []
