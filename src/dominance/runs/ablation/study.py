"""Decides which variants to try on which collapsed images, from the outcomes so far."""

from collections.abc import Callable, Sequence
from typing import cast

from dominance.metrics import rate
from dominance.records import Prompt, RunResult
from dominance.runs.ablation.cooperation import HeadSets, halves_of, head_sets, sets_of, strongest_alone
from dominance.runs.ablation.interactions import Interactions, interactions, strongest
from dominance.runs.ablation.options import SWEEPS, AblationOptions, Sweep, Window
from dominance.runs.ablation.outcomes import Judged, label, mitigating
from dominance.runs.ablation.result import (
    AblatedPrompt,
    AblationResult,
    Edited,
    SweepResult,
    WindowResult,
    sweep_result,
    unedited_of,
    window_result,
)
from dominance.runs.ablation.trials import Trial, TrialStage
from dominance.runs.ablation.variants import (
    CONTROL_LAYER,
    Anatomy,
    Head,
    Variant,
    all_heads,
    feed_forwards,
    head_pairs,
    heads_together,
    rebalancing,
    residuals,
    single_head,
)
from dominance.runs.store.plan import Plan


class Study:
    """All trials of an ablation, and their outcomes."""

    def __init__(
        self, options: AblationOptions, anatomy: Anatomy, stage: TrialStage, unedited: RunResult, plan: Plan
    ) -> None:
        self._options, self._anatomy, self._stage, self._unedited = options, anatomy, stage, unedited
        self._refused = plan.refused
        self._windows = options.windows(cast(int, plan.settings.steps))
        self._collapsed = [
            (result.prompt, image)
            for result in unedited.prompts
            if result.collapsed >= options.min_collapsed
            for image in result.images
            if image.verdict == "collapsed"
        ]
        self._judged: list[Judged] = []
        self._singles: dict[tuple[Head, Window], list[Judged]] = {}
        self._interactions: list[Interactions] = []
        self._sets: list[HeadSets] = []
        self._untried: str | None = None

    def result(self, run: str, left_out: tuple[str, ...]) -> AblationResult:
        """Runs everything the options ask for."""
        sweeps: list[SweepResult] = []
        windows: list[WindowResult] = []
        if self._collapsed and self._options.edit == "rebalance":
            windows = self._rebalanced()
        elif self._collapsed:
            sweeps = [self._sweep(sweep, window) for sweep in _ordered(self._options.sweep) for window in self._windows]
        unedited, edited = self._unedited, self._stage.scored.values()
        return AblationResult(
            run=run,
            suite=unedited.suite,
            model=unedited.model,
            judge=unedited.judge,
            settings=unedited.settings.record(),
            edit=self._options.edit,
            unedited=unedited_of(unedited),
            edited=Edited(
                sum(image.file is not None for image in edited), sum(image.verdict is None for image in edited)
            ),
            prompts=self._prompts(),
            sweeps=tuple(sweeps),
            interactions=tuple(self._interactions),
            windows=tuple(windows),
            left_out=left_out,
            notes=self._notes(left_out),
            manifest=unedited.manifest,
            judge_warnings=unedited.judge_warnings,
            sets=tuple(self._sets),
        )

    def _sweep(self, sweep: Sweep, window: Window) -> SweepResult:
        anatomy, layers, how = self._anatomy, self._options.layers, self._options.how(window)
        if sweep == "heads":
            return sweep_result(sweep, window, self._heads(all_heads(anatomy, layers), window))
        if sweep == "feed-forward":
            return sweep_result(sweep, window, self._all(sweep, window, feed_forwards(anatomy, layers, how)))
        if sweep == "residual":
            return sweep_result(sweep, window, self._all(sweep, window, residuals(anatomy, layers, how)))
        if sweep == "multi":
            return self._multi(window)
        if sweep == "controls":
            return self._controls(window)
        return self._pairs(window) if sweep == "interactions" else self._cooperation(window)

    def _heads(self, heads: Sequence[Head], window: Window) -> list[Judged]:
        """Every head alone, on every collapsed image; none is tried twice."""
        missing = [head for head in heads if (head, window) not in self._singles]
        if missing:
            how = self._options.how(window)
            for head in missing:
                self._singles[head, window] = []
            for trial in self._all("heads", window, [single_head(head, how) for head in missing]):
                self._singles[trial.variant.heads[0], window].append(trial)
        return [trial for head in heads for trial in self._singles[head, window]]

    def _multi(self, window: Window) -> SweepResult:
        """The mitigating heads of each prompt together, if there are at least two."""
        singles = self._heads(all_heads(self._anatomy, self._options.layers), window)
        chosen = {}
        for prompt, found in mitigating(singles).items():
            if len(found) > 1:
                chosen[prompt] = [heads_together(found, self._options.how(window))]
        judged = self._tried("multi", window, lambda prompt: chosen.get(prompt.id, ()))
        return sweep_result("multi", window, judged, len({p.id for p, _ in self._collapsed} - chosen.keys()))

    def _controls(self, window: Window) -> SweepResult:
        """Pairs of heads of layer 1 that do not mitigate the prompt."""
        heads = all_heads(self._anatomy, [CONTROL_LAYER])
        helping = mitigating(self._heads(heads, window))
        pairs = {
            prompt: head_pairs([head for head in heads if head not in found], self._options.how(window))
            for prompt, found in helping.items()
        }
        judged = self._tried("controls", window, lambda prompt: pairs.get(prompt.id, ()))
        return sweep_result("controls", window, judged, sum(not found for found in pairs.values()))

    def _pairs(self, window: Window) -> SweepResult:
        """Pairs of the strongest heads."""
        heads = all_heads(self._anatomy, self._options.layers)
        singles = self._heads(heads, window)
        best = strongest(singles, self._options.strongest)
        chosen = [head for head in heads if head in best]
        judged = self._all("interactions", window, head_pairs(chosen, self._options.how(window)))
        self._interactions.append(interactions(window.name, chosen, singles, judged))
        return sweep_result("interactions", window, judged)

    def _cooperation(self, window: Window) -> SweepResult:
        """Every set of the heads that raise the presence of what was lost most, on either half of the prompts."""
        halves = halves_of(list(dict.fromkeys(prompt.id for prompt, _ in self._collapsed)))
        if not all(halves):
            self._untried = "only one prompt has collapsed images, so sets of heads cannot be chosen on others"
            return sweep_result("sets", window, [])
        heads = all_heads(self._anatomy, self._options.layers)
        singles, count = self._heads(heads, window), self._options.heads_in_sets(len(heads))
        chosen = [strongest_alone(singles, half, count) for half in halves]
        sets = dict.fromkeys(own for heads_of_half in chosen for own in sets_of(heads_of_half, least=2))
        how = self._options.how(window)
        judged = self._all("sets", window, [heads_together(own, how) for own in sets])
        found = head_sets(window.name, halves, chosen, [*singles, *judged])
        if not found.halves:
            self._untried = "no prompt of either half has an image that is scored under every set of heads"
        self._sets.append(found)
        return sweep_result("sets", window, judged)

    def _all(self, name: str, window: Window, variants: Sequence[Variant]) -> list[Judged]:
        return self._tried(name, window, lambda _: variants)

    def _tried(self, name: str, window: Window, variants: Callable[[Prompt], Sequence[Variant]]) -> list[Judged]:
        """Draws and judges the variants of every collapsed image."""
        tried = [
            (before, Trial(prompt, before.seed or 0, variant))
            for prompt, before in self._collapsed
            for variant in variants(prompt)
        ]
        named = name if len(self._windows) == 1 else f"{name}, steps {window.name}"
        after = self._stage.run(named, [trial for _, trial in tried])
        judged = [
            Judged(trial.prompt, trial.seed, trial.variant, before, image)
            for (before, trial), image in zip(tried, after, strict=True)
        ]
        self._judged += judged
        order = list(dict.fromkeys(label(trial) for trial in judged))
        return sorted(judged, key=lambda trial: order.index(label(trial)))

    def _rebalanced(self) -> list[WindowResult]:
        """All images of all prompts in every interval; the intervals of one image share a batch."""
        results = [result for result in self._unedited.prompts if result.prompt.id not in self._refused]
        images = [(result.prompt, image) for result in results for image in result.images]
        tried = [
            (before, Trial(prompt, before.seed or 0, rebalancing(prompt, window)))
            for prompt, before in images
            for window in self._windows
        ]
        after = self._stage.run("rebalanced", [trial for _, trial in tried])
        found = [window_result("none", [(prompt.group_name, image) for prompt, image in images], None)]
        rows = list(zip(tried, after, strict=True))
        for index, window in enumerate(self._windows):
            own = rows[index :: len(self._windows)]
            judged = [
                Judged(trial.prompt, trial.seed, trial.variant, before, image)
                for (before, trial), image in own
                if before.verdict == "collapsed"
            ]
            self._judged += judged
            grouped = [(trial.prompt.group_name, image) for (_, trial), image in own]
            found.append(window_result(window.name, grouped, judged))
        return found

    def _prompts(self) -> tuple[AblatedPrompt, ...]:
        singles = [
            trial for (_, window), found in self._singles.items() if window == self._windows[0] for trial in found
        ]
        heads = mitigating(singles)
        examples = {}
        for trial in self._judged:
            if trial.outcome == "mitigated" and trial.unedited.file is not None and trial.edited.file is not None:
                examples.setdefault(trial.prompt.id, (trial.seed, trial.unedited.file, trial.edited.file, label(trial)))
        return tuple(
            AblatedPrompt(
                id=result.prompt.id,
                text=result.prompt.text,
                group=result.prompt.group_name,
                collapsed=rate(result.collapsed, result.scored),
                mitigating=heads.get(result.prompt.id),
                example=examples.get(result.prompt.id),
            )
            for result in self._unedited.prompts
        )

    def _notes(self, left_out: tuple[str, ...]) -> tuple[str, ...]:
        notes = []
        if not self._collapsed:
            scored, least = self._unedited.scored, self._options.min_collapsed
            which = "collapses" if least == 1 else f"collapses in a prompt with at least {least} collapsed images"
            notes.append(
                f"none of the {scored} scored unedited images {which}, so there is nothing to mitigate"
                if scored
                else "no unedited image could be scored, so it is unknown what to mitigate"
            )
        if self._untried is not None:
            notes.append(self._untried)
        if left_out:
            notes.append(f"left out, with fewer than two concepts: {', '.join(left_out[:20])}")
        notes += [f"left out: prompt {id}: {why}" for id, why in list(self._refused.items())[:20]]
        return tuple(notes)


def _ordered(sweeps: Sequence[Sweep]) -> list[Sweep]:
    """Each sweep once, after those that it builds on."""
    return [sweep for sweep in SWEEPS if sweep in sweeps]
