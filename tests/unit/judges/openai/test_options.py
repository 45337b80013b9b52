"""What an endpoint's options do to the request, the images, the identity and the manifest."""

import base64
import io

import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.judges.openai.judge import load_openai_judge
from dominance.judges.openai.options import EndpointOptions, read_endpoint_options
from dominance.judges.openai.sent import data_url
from dominance.records import Question

HERE = "http://127.0.0.1:8000/v1#m"
QUESTION = Question("mug", "Is there a mug?", 1)


def body(options: dict[str, object]) -> dict:
    return read_endpoint_options(options).form.body("m", "data:", QUESTION)


def test_without_options_nothing_changes() -> None:
    assert read_endpoint_options({}) == EndpointOptions()
    assert load_openai_judge("x", HERE).identity == load_openai_judge("x", HERE, {"max_tokens": 5}).identity


def test_options_reach_the_body() -> None:
    asked = body({"max_tokens": 64, "temperature": 0.2, "detail": "low", "chat_template_kwargs": {"thinking": False}})
    assert (asked["max_tokens"], asked["temperature"]) == (64, 0.2)
    assert asked["chat_template_kwargs"] == {"thinking": False}
    assert asked["messages"][0]["content"][0]["image_url"] == {"url": "data:", "detail": "low"}
    assert body({"max_completion_tokens": 64})["max_completion_tokens"] == 64
    assert not {"logprobs", "top_logprobs"} & {*body({"logprobs": False})}
    assert body({"top_logprobs": 5})["top_logprobs"] == 5
    assert not {"image_side", "api-version"} & {*body({"image_side": 512, "api-version": "2024-10-21"})}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_tokens": 0}, "max_tokens is the number 0; give a whole number from 1 to 100000"),
        ({"max_tokens": "many"}, "max_tokens is the text 'many'"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "give one of the two"),
        ({"temperature": 3}, "temperature is the number 3; give a number from 0 to 2"),
        ({"temperature": True}, "temperature is true"),
        ({"image_side": 8}, "image_side is the number 8"),
        ({"detail": "fine"}, "detail is the text 'fine'; give low or high or auto"),
        ({"api-version": "a b"}, "api-version is the text 'a b'"),
        ({"logprobs": 3}, "logprobs is the number 3; give true or false"),
        ({"model": "x"}, "model is not yours to set: give the model after #"),
        ({"messages": []}, "messages is not yours to set"),
        ({"n": 2}, "n is not yours to set"),
        ({"stream": True}, "stream can only be false"),
    ],
)
def test_what_cannot_be_used_is_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=r"^--judge-option ") as refused:
        load_openai_judge("x", HERE, options)
    assert told in str(refused.value)


def test_a_changed_option_is_another_judge_and_stands_in_the_manifest() -> None:
    plain = load_openai_judge("x", HERE)
    assert "options" not in plain.describe()
    assert plain.describe()["images_sent"] == "PNG, as they are"
    for options in ({"temperature": 1}, {"image_side": 512}, {"detail": "low"}, {"a": {"b": 1}}, {"logprobs": False}):
        judge = load_openai_judge("x", HERE, options)
        assert judge.identity != plain.identity
        assert judge.describe()["options"] == options
    assert "larger than 512 pixels: scaled down to that, JPEG of quality 90" in str(
        load_openai_judge("x", HERE, {"image_side": 512}).describe()["images_sent"]
    )


@pytest.mark.parametrize(
    ("size", "side", "sent"),
    [
        ((64, 32), None, ("PNG", (64, 32))),
        ((64, 32), 64, ("PNG", (64, 32))),
        ((64, 32), 32, ("JPEG", (32, 16))),
        ((20, 80), 40, ("JPEG", (10, 40))),
        ((4000, 2), 100, ("JPEG", (100, 1))),
    ],
)
def test_large_images_are_scaled_down_and_sent_as_jpeg(
    size: tuple[int, int], side: int | None, sent: tuple[str, tuple[int, int]]
) -> None:
    image = Image.new("RGB", size, "red")
    header, _, data = data_url(image, side).partition(",")
    found = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (found.format, found.size) == sent
    assert header == f"data:image/{sent[0].lower()};base64"
    assert image.size == size
    options = {} if side is None else {"image_side": side}
    assert load_openai_judge("x", HERE, options).bytes_sent(image) == len(header) + 1 + len(data)
