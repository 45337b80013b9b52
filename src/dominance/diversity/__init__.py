"""Embeddings of images, and what their distances say about a set that somebody wants to fine-tune on."""

from dominance.diversity.verdicts import MeasuredConcept, SetVerdict, judge_sets

__all__ = ["MeasuredConcept", "SetVerdict", "judge_sets"]
