"""An ablation: its page and its plots."""
