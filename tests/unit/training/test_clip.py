import numpy as np
import pytest
import torch

from dominance.miniature.world import HELD_OUT_PAIRS
from dominance.training.clip import ClipSettings, captions_world, contrast, named_things, new_clip
from dominance.training.vocabulary import new_tokenizer


def test_captions_that_name_the_same_things_are_both_right() -> None:
    named = named_things(["a mug and a tower", "a tower next to a mug", "a mug", "one picture with a mug", "a sun"])
    same = (named[:, None] == named[None]).all(-1)
    assert same.tolist() == [
        [True, True, False, False, False],
        [True, True, False, False, False],
        [False, False, True, True, False],
        [False, False, True, True, False],
        [False, False, False, False, True],
    ]


def test_the_contrast_is_least_where_each_picture_prefers_its_own_captions() -> None:
    named = named_things(["a mug and a tower", "a tower with a mug", "a mug", "a sun"])
    same = (named[:, None] == named[None]).all(-1).float()
    assert float(contrast(30 * same, named)) == pytest.approx(np.log(2) / 2, abs=1e-4)  # two of four share two captions
    assert float(contrast(torch.zeros(4, 4), named)) == pytest.approx(np.log(4))
    assert float(contrast(-30 * same, named)) > 10


def test_its_text_encoder_reads_a_caption_at_its_end_and_nothing_behind_it() -> None:
    tokenizer = new_tokenizer()
    model = new_clip(ClipSettings(), tokenizer).eval()
    alone, padded = (
        tokenizer(texts, padding=True, return_tensors="pt") for texts in (["a mug"], ["a mug", "a mug with a lamp"])
    )
    with torch.no_grad():
        one = model.get_text_features(**alone).pooler_output[0]
        same = model.get_text_features(**padded).pooler_output[0]
    assert torch.allclose(one, same, atol=1e-5)


def test_the_same_seed_begins_with_the_same_weights() -> None:
    tokenizer = new_tokenizer()
    torch.manual_seed(1)
    one = new_clip(ClipSettings(), tokenizer).state_dict()
    torch.manual_seed(2)
    assert all(
        torch.equal(one[name], weight) for name, weight in new_clip(ClipSettings(), tokenizer).state_dict().items()
    )
    assert any(
        not torch.equal(one[name], weight)
        for name, weight in new_clip(ClipSettings(seed=1), tokenizer).state_dict().items()
    )


def test_every_kind_of_picture_is_shown_but_a_model_s_held_out_pairs() -> None:
    world = captions_world()
    captions = [world.sample(np.random.default_rng(seed))[0] for seed in range(400)]
    assert not any(all(name in caption.split() for name in pair) for caption in captions for pair in HELD_OUT_PAIRS)
    things = named_things(captions)
    assert things.any(0).all()
    assert float((things.sum(1) == 2).float().mean()) > 0.4
