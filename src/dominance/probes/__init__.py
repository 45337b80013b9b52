"""Attention, watched and edited on a diffusers pipeline while it draws."""
