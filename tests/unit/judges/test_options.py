"""Options of a judge as users write them: read as values, and never a secret."""

import pytest

from dominance.errors import InputError
from dominance.judges.options import Asking, read_options


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["max_tokens=64"], {"max_tokens": 64}),
        (["think=False", "detail=low"], {"think": False, "detail": "low"}),
        (["temperature=0.5", "reasoning_effort=none"], {"temperature": 0.5, "reasoning_effort": "none"}),
        (["a.b.c=1", "a.b.d=[1, 2]", "a.e=null"], {"a": {"b": {"c": 1, "d": [1, 2]}, "e": None}}),
        (['a={"b": 1}', "a.c=2"], {"a": {"b": 1, "c": 2}}),
        (["a=1", "a=2"], {"a": 2}),
        (["stop=", "x==y", "z=NaN"], {"stop": "", "x": "=y", "z": "NaN"}),
        (["api-version=2024-10-21"], {"api-version": "2024-10-21"}),
        (["stop_token_ids=[1]"], {"stop_token_ids": [1]}),
    ],
)
def test_values_are_json_or_text(given: list[str], options: dict[str, object]) -> None:
    assert read_options(given) == options


@pytest.mark.parametrize("given", ["max_tokens", "=5", "a b=1", "a..b=1", "1a=2", "a=" + "x" * 5000])
def test_what_is_no_option_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"--judge-option is .*; give KEY=VALUE, such as max_tokens=64"):
        Asking(judge_option=(given,))


@pytest.mark.parametrize(
    ("given", "meant"),
    [("max_token=5", "max_tokens"), ("image_sid=512", "image_side"), ("temprature=0", "temperature")],
)
def test_a_slip_in_a_name_is_not_sent_to_a_server_that_passes_over_it(given: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"--judge-option has no '{given.partition('=')[0]}'; did you mean '{meant}'?"):
        read_options([given])
    assert read_options(["max_new_tokens=5", "top_p=1"]) == {"max_new_tokens": 5, "top_p": 1}


@pytest.mark.parametrize("given", [("a=1", "a.b=2"), ("a.b=1", "a=2"), ("a.b=1", "a.b.c=2")])
def test_a_key_is_a_value_or_an_object(given: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="a value and an object"):
        read_options(given)


SECRET = "0123456789abcdef0123456789ABCDEF"


@pytest.mark.parametrize(
    "given",
    [
        "api_key=hush-hush",
        "api-key=hush-hush",
        "authorization=hush-hush",
        "extra.password=hush-hush",
        "access_token=hush-hush",
        "headers.x=hush-hush",
        'extra_headers={"X-Key": "hush-hush"}',
        'list=[{"token": "hush-hush"}]',
        f"user={SECRET}",
        "user=sk-hush-hush",
        "x=Bearer hush-hush",
    ],
)
def test_a_secret_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(InputError) as refused:
        Asking(judge_option=(given,))
    said = str(refused.value)
    assert "hush" not in said
    assert SECRET not in said
    assert "DOMINANCE_JUDGE_KEY" in said


def test_options_stand_in_the_record_only_where_there_are_some() -> None:
    assert Asking().record() == {"judge_mode": "fast"}
    assert Asking(judge_option=("a=1",)).record() == {"judge_mode": "fast", "judge_option": ["a=1"]}
