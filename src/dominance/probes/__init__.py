"""Attention, watched and edited on a diffusers pipeline while it draws."""

from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.recording import AttentionRecord, record_attention
from dominance.probes.reduction import reduced_attention
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites, denoiser_of
from dominance.probes.tokens import PromptToken, PromptTokens, prompt_tokens

__all__ = [
    "AttentionCall",
    "AttentionRecord",
    "AttentionSite",
    "Forward",
    "Probe",
    "PromptToken",
    "PromptTokens",
    "attention_sites",
    "chosen_sites",
    "denoiser_of",
    "intercept",
    "prompt_tokens",
    "record_attention",
    "reduced_attention",
]
