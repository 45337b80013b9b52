"""Where an endpoint is, and that the key goes there and nowhere else."""

import pytest

from dominance.errors import ModelError
from dominance.judges.openai.endpoint import Key, find_key, read_endpoint
from dominance.judges.openai.judge import load_openai_judge
from golden import Golden, one_a_case

SECRET = "sk-very-secret-0123456789"
HERE = "http://127.0.0.1:8000/v1#qwen2.5-vl"


def test_a_place_is_an_address_and_a_model() -> None:
    place = read_endpoint("https://judge.example/v1/#Qwen/Qwen2.5-VL-7B-Instruct:free")
    assert (place.base, place.model) == ("https://judge.example/v1", "Qwen/Qwen2.5-VL-7B-Instruct:free")
    assert read_endpoint("https://judge.example/v1/chat/completions#m").base == "https://judge.example/v1"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost:1", True), ("127.0.0.1", True), ("127.3.2.1", True), ("[::1]:8000", True), ("10.0.0.1", False),
     ("localhost.example", False), ("gpu-box:8000", False)],
)  # fmt: skip
def test_this_machine_is_known(host: str, loopback: bool) -> None:
    assert read_endpoint(f"http://{host}/v1#m").loopback is loopback


NO_PLACES = (
    "",
    "#m",
    "http://127.0.0.1:8000/v1",
    "http://127.0.0.1:8000/v1# ",
    "ftp://127.0.0.1/v1#m",
    "127.0.0.1:8000/v1#m",
    "http:///v1#m",
    "http://host:99999/v1#m",
    "http://[::1/v1#m",
    "http://a b/v1#m",
    "http://127.0.0.1/v1#m\n",
    "http://127.0.0.1/v1#" + "m" * 10_000,
)


def test_what_is_no_place_is_refused_in_one_line(golden: Golden) -> None:
    messages = {}
    for place in NO_PLACES:
        with pytest.raises(ModelError) as refused:
            load_openai_judge("openai", place)
        messages[place] = str(refused.value)
        assert messages[place].isprintable()
        assert len(messages[place]) < 400
    golden("judges/endpoints", one_a_case(messages))


@pytest.mark.parametrize(
    "place",
    [f"https://me:{SECRET}@judge.example/v1#m", f"https://{SECRET}@judge.example/v1#m",
     f"https://judge.example/v1?key={SECRET}#m", f"https://me:{SECRET}@judge.example:port/v1#m"],
)  # fmt: skip
def test_a_url_that_holds_a_secret_is_refused_without_repeating_it(place: str) -> None:
    with pytest.raises(ModelError) as refused:
        read_endpoint(place)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": SECRET}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "other", "DOMINANCE_JUDGE_KEY": f" {SECRET}\n"}, "DOMINANCE_JUDGE_KEY"),
        ({"OPENAI_API_KEY": SECRET, "DOMINANCE_JUDGE_KEY": ""}, None),
    ],
)
def test_the_key_comes_from_the_environment_alone(environment: dict[str, str], variable: str | None) -> None:
    key = find_key(read_endpoint(HERE), environment)
    assert key.variable == variable
    assert key.headers() == ({"Authorization": f"Bearer {SECRET}"} if variable else {})


def test_a_key_shows_itself_in_no_text() -> None:
    key = Key(SECRET, "OPENAI_API_KEY")
    assert SECRET not in f"{key} {key!r} {[key]}"
    assert key.scrubbed(f"the key {SECRET} is wrong") == "the key [key] is wrong"
    assert Key().scrubbed("nothing") == "nothing"


def test_a_key_is_not_sent_unencrypted_to_another_machine_unless_the_user_says_so() -> None:
    far = read_endpoint("http://gpu-box:8000/v1#m")
    with pytest.raises(ModelError, match="unencrypted to gpu-box:8000") as refused:
        find_key(far, {"OPENAI_API_KEY": SECRET})
    assert SECRET not in str(refused.value)
    assert not find_key(far, {})
    assert find_key(far, {"OPENAI_API_KEY": SECRET, "DOMINANCE_JUDGE_PLAIN_HTTP": "1"})
    assert find_key(read_endpoint("https://gpu-box:8000/v1#m"), {"OPENAI_API_KEY": SECRET})


@pytest.mark.parametrize("secret", ["sk-é", "a b", "a\x00b", "a\r\nX-Other: 1"])
def test_a_key_that_no_header_can_hold_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ModelError, match="DOMINANCE_JUDGE_KEY contains characters") as refused:
        find_key(read_endpoint(HERE), {"DOMINANCE_JUDGE_KEY": secret})
    assert secret not in str(refused.value)


def test_the_identity_is_of_address_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    judge = load_openai_judge("openai:x", HERE)
    assert judge.identity == load_openai_judge("openai:y", HERE.replace("/v1", "/v1/")).identity
    assert judge.identity != load_openai_judge("openai:x", HERE + "-7b").identity
    assert judge.identity != load_openai_judge("openai:x", HERE.replace("8000", "8001")).identity
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    assert judge.identity == load_openai_judge("openai:x", HERE).identity
    assert SECRET not in f"{judge!r} {judge.identity} {judge.name} {judge.describe()}"


@pytest.mark.parametrize("name", ["DOMINANCE_JUDGE_TIMEOUT", "DOMINANCE_JUDGE_CONNECTIONS"])
@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "1e9"])
def test_settings_out_of_range_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match=f"{name} is '{value}'; give a number from"):
        load_openai_judge("openai", HERE)


FAR = "https://team.openai.azure.com/openai/deployments/gpt#gpt"


@pytest.mark.parametrize(
    ("environment", "header", "headers"),
    [
        ({"DOMINANCE_JUDGE_KEY": SECRET}, "api-key", {"api-key": SECRET}),
        ({"DOMINANCE_JUDGE_HEADERS": f"api-key: {SECRET}", "OPENAI_API_KEY": "other"}, "Authorization",
         {"api-key": SECRET}),
        ({"DOMINANCE_JUDGE_HEADERS": f"Authorization: Bearer {SECRET}\n\nX-Team: blue team"}, "api-key",
         {"Authorization": f"Bearer {SECRET}", "X-Team": "blue team"}),
        ({"DOMINANCE_JUDGE_HEADERS": "X-Team: blue", "OPENAI_API_KEY": SECRET}, "Authorization",
         {"Authorization": f"Bearer {SECRET}", "X-Team": "blue"}),
        ({"DOMINANCE_JUDGE_HEADERS": ""}, "Authorization", {}),
    ],
)  # fmt: skip
def test_headers_come_from_the_environment_and_hide_in_texts(
    environment: dict[str, str], header: str, headers: dict[str, str]
) -> None:
    key = find_key(read_endpoint(FAR), environment, header)
    assert key.headers() == headers
    assert bool(key) is bool(headers)
    assert SECRET not in f"{key!r} {key.scrubbed(f'no {SECRET}, no Bearer {SECRET}') if key else ''}"


@pytest.mark.parametrize(
    "lines", ["api-key", "a b: c", "Host: evil.example", "content-length: 3", "X-A: ok\nX-B: \x01", "X: é", ": x"]
)
def test_headers_that_cannot_be_sent_are_refused_without_repeating_them(lines: str) -> None:
    with pytest.raises(ModelError, match=r"line [12] of DOMINANCE_JUDGE_HEADERS is no header") as refused:
        find_key(read_endpoint(FAR), {"DOMINANCE_JUDGE_HEADERS": lines})
    assert "evil" not in str(refused.value)


def test_headers_are_not_sent_unencrypted_to_another_machine() -> None:
    far = read_endpoint("http://gpu-box:8000/v1#m")
    environment = {"DOMINANCE_JUDGE_HEADERS": f"api-key: {SECRET}"}
    with pytest.raises(ModelError, match="the headers in DOMINANCE_JUDGE_HEADERS would be sent unencrypted") as refused:
        find_key(far, environment)
    assert SECRET not in str(refused.value)
    assert find_key(far, {**environment, "DOMINANCE_JUDGE_PLAIN_HTTP": "1"})
