"""Qwen-VL judges."""
