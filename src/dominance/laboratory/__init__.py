"""Experiments composed of the stages: the model card, and the papers' claims."""
