"""How the names of settings and of what a manifest holds are written on pages."""

LABELS: dict[str, str] = {
    "against": "second judge",
    "answered": "answers",
    "batch": "images at once",
    "cuda": "CUDA",
    "dtype": "precision",
    "edit_steps": "edited steps",
    "finished_at": "finished",
    "judge_mode": "how the judge is asked",
    "judge_option": "options of the judge",
    "max_collapse": "collapse at most",
    "max_unscored": "unscored at most",
    "min_collapsed": "least collapsed images",
    "min_presence": "presence at least",
    "needed": "images that must agree",
    "order_seed": "seed of the order",
    "peak_memory": "most memory in use",
    "set_heads": "heads in sets",
    "vae_tiling": "decoded by tiles",
    "with_p_yes": "with P(yes)",
    "yes_or_no_alone": "yes or no alone",
}
"""Of names that say little, or that underscores alone do not turn into words."""


def label(name: object) -> str:
    """A name in words.

    >>> label("judge_mode"), label("negative_prompt"), label("torch")
    ('how the judge is asked', 'negative prompt', 'torch')
    """
    return LABELS.get(str(name), str(name).replace("_", " "))
