"""Attention of one model, recorded for many prompts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from dominance.models.source import ModelSource
from dominance.records import Prompt
from dominance.reproduce.attention import PaperLayers, focus_of, paper_layers
from dominance.reproduce.impossible import asked_of_model
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.explanation.result import Explanation
from dominance.runs.explanation.run import explain
from dominance.runs.stages.first_steps import Look, look_at
from dominance.runs.stages.localisation import layers_of
from dominance.runs.stages.model import RunModel


class Recorder:
    """Records attention in one model."""

    def __init__(self, source: ModelSource, options: ReproduceOptions) -> None:
        self._source, self._options = source, options

    @cached_property
    def opened(self) -> RunModel:
        """The model."""
        return RunModel(self._source, replace(self._options.drawing, seeds=(0,)), self._options.machine)

    @cached_property
    def layers(self) -> PaperLayers:
        """The paper's layers in this model.

        Raises:
            ImpossibleError: its attention is of a kind that is not known.
        """
        from dominance.probes.sites import attention_sites

        pipeline = self.opened().pipeline
        with asked_of_model():
            return paper_layers(attention_sites(pipeline))

    def needs_places(self) -> None:
        """Looks for layers that show where concepts lie, if that is not known of the model.

        Raises:
            ImpossibleError: there are none.
        """
        pipeline = self.opened().pipeline
        with asked_of_model():
            layers_of(self._source, self.opened.settings, lambda: pipeline)

    def look(self, prompt: Prompt, seeds: Sequence[int], layers: Sequence[int] | None = None) -> Look:
        """The first steps of a prompt with each of the seeds.

        Raises:
            ImpossibleError: the attention cannot be recorded.
        """
        self.opened()
        with asked_of_model():
            return look_at(self.opened, [prompt], [seeds], layers, "content")[0]

    def focus(self, prompt: Prompt, seeds: Sequence[int]) -> float:
        """The focus score of a prompt's first steps in the paper's layers; as ``look``."""
        return focus_of(self.look(prompt, seeds), self.layers.focus)

    def explained(self, prompt: Prompt, seeds: Sequence[int], maps_at_end: bool = False) -> Explanation:
        """A prompt's whole generations.

        Args:
            maps_at_end: whether the concepts' maps are of the last step.

        Raises:
            ImpossibleError: the attention cannot be recorded.
        """
        drawing, pipeline = replace(self._options.drawing, seeds=tuple(seeds)), self.opened().pipeline
        options = ExplainOptions(drawing=drawing, machine=self._options.machine.by_itself())
        if maps_at_end:
            options = replace(options, maps_steps=(self.opened.settings.steps - 1,))
        with asked_of_model():
            return explain(prompt, pipeline, None, options)
