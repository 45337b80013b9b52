"""An explanation: its folder, its page, its plots and its sentences."""
