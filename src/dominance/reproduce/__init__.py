"""The papers' claims: each a small experiment composed of the commands' functions."""
