"""Who is let in: by host, origin, token and form; and what every answer carries."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import form_key_of
from starlette.testclient import TestClient

from dominance.errors import InputError
from dominance.serve import listening
from dominance.serve.options import TOKEN_VARIABLE, ServeOptions

TOKEN = "0123456789abcdef0123456789abcdef"
ASKED = {"prompts": ["a [castle:landmark] and a [chair]"], "seeds": 1}
FORM = {"prompts": "a [castle:landmark] and a [chair]", "verb": "audit", "seeds": "1"}


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost", "LOCALHOST:9", "[::1]:8321"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/api/jobs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0:8321", "169.254.169.254", ""])
def test_a_rebound_name_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/runs", headers={"host": host})
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["error"]


def test_a_named_host_is_answered(serve: Callable[..., TestClient]) -> None:
    client = serve(allow_host=("gpu.example.com",))
    assert client.get("/api/jobs", headers={"host": "gpu.example.com"}).status_code == 200


def test_anywhere_is_no_name(serve: Callable[..., TestClient]) -> None:
    client = serve(token=TOKEN, host="0.0.0.0")
    assert client.get("/login", headers={"host": "0.0.0.0:8321"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_cannot_post(client: TestClient, form_key: str, headers: dict[str, str]) -> None:
    form = client.post("/", data={**FORM, "form_key": form_key}, headers=headers)
    program = client.post("/api/audit", json=ASKED, headers=headers)
    assert (form.status_code, program.status_code) == (403, 403)
    assert client.get("/api/jobs").json() == []


@pytest.mark.parametrize("key", [None, "", "0" * 64, "form"])
def test_a_form_without_its_key_does_nothing(client: TestClient, key: str | None) -> None:
    answer = client.post("/", data=FORM if key is None else {**FORM, "form_key": key})
    assert answer.status_code == 403
    assert client.get("/api/jobs").json() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_of_another_site_could_send_is_no_request_of_a_program(client: TestClient, kind: str) -> None:
    answer = client.post("/api/audit", content=b'{"prompts": ["a [mug]"]}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert client.post("/score?prompt=a [mug]", content=b"x", headers={"content-type": kind}).status_code == 415


def test_with_a_token_nothing_is_told_without_it(serve: Callable[..., TestClient]) -> None:
    client = serve(token=TOKEN)
    for path in ("/api/jobs", "/api/runs", "/metrics", "/api/openapi.json"):
        assert client.get(path).status_code == 401, path
    for path in ("/", "/runs", "/jobs", "/static/page.js"):
        assert client.get(path, follow_redirects=False).headers["location"] == "/login", path
    assert client.post("/api/audit", json=ASKED).status_code == 401
    assert client.get("/api/jobs", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/api/jobs", headers={"authorization": f"Bearer {TOKEN[:-1]}0"}).status_code == 401
    assert client.get("/api/jobs", headers={"authorization": f"Basic {TOKEN}"}).status_code == 401
    assert client.get("/api/jobs", headers={"cookie": f"dominance={TOKEN}"}).status_code == 401


def logged_in(client: TestClient) -> str:
    """Types the token in; gives the cookie as it is set."""
    answer = client.post("/login", data={"form_key": form_key_of(client), "token": TOKEN}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return answer.headers["set-cookie"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong tokens are answered without delay."""
    monkeypatch.setattr("dominance.serve.login_pages.AFTER_WRONG", 0)


@pytest.mark.usefixtures("at_once")
def test_the_token_typed_in_lets_a_browser_in_and_logging_out_ends_it(serve: Callable[..., TestClient]) -> None:
    client = serve(token=TOKEN)
    key = form_key_of(client)
    assert client.post("/login", data={"form_key": key, "token": "wrong"}).status_code == 401
    cookie = logged_in(client).lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # over plain HTTP, browsers would not send it back
    assert TOKEN.lower() not in cookie
    page = client.get("/runs")
    assert page.status_code == 200
    assert client.post("/logout", data={"form_key": key}).status_code == 403  # of the page before, without a session
    kept = client.cookies["dominance"]
    inside = re.findall(r'name="form_key" value="(\w+)"', page.text)[0]
    out = client.post("/logout", data={"form_key": inside}, follow_redirects=False)
    assert out.headers["location"] == "/login"
    again = client.get("/runs", headers={"cookie": f"dominance={kept}"}, follow_redirects=False)
    assert again.headers["location"] == "/login"  # the session has ended, not only its cookie


@pytest.mark.usefixtures("at_once")
def test_each_login_is_a_session_of_its_own(serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(token=TOKEN)
    cookies = []
    for _ in range(2):
        client.cookies.clear()
        cookies.append(logged_in(client).partition(";")[0])
    assert cookies[0] != cookies[1]
    keys = [form_key_of_page(client, cookie) for cookie in cookies]
    assert keys[0] != keys[1]
    monkeypatch.setattr("dominance.serve.sessions.SESSION_SECONDS", -1)
    client.cookies.clear()
    logged_in(client)
    assert client.get("/runs", follow_redirects=False).headers["location"] == "/login"  # it has had its time


def form_key_of_page(client: TestClient, cookie: str) -> str:
    client.cookies.clear()
    found = re.search(r'name="form_key" value="(\w+)"', client.get("/upload", headers={"cookie": cookie}).text)
    assert found
    return found[1]


def test_behind_https_the_cookie_is_sent_by_https_alone(serve: Callable[..., TestClient]) -> None:
    assert "Secure" in logged_in(serve(token=TOKEN, behind_https=True, url="http://127.0.0.1:8321"))
    assert "Secure" in logged_in(serve(token=TOKEN, url="https://127.0.0.1:8321"))


def test_the_login_page_asks_for_nothing_that_needs_a_session(serve: Callable[..., TestClient]) -> None:
    client = serve(token=TOKEN)
    text = client.get("/login").text
    for asked in re.findall(r'(?:src|href)="(/[^"#]*)"', text):
        assert client.get(asked, follow_redirects=False).status_code in (200, 303), asked
        assert not asked.startswith("/static/") or client.get(asked).headers["content-type"].startswith("text/css")
    assert "<script" not in text


def test_another_host_than_loopback_needs_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    for host in ("0.0.0.0", "::", "192.168.1.4", "gpu.example.com"):
        with pytest.raises(InputError, match="only with a token"):
            ServeOptions(host=host).token()
    for host in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"):
        assert ServeOptions(host=host).token() is None
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(InputError, match="has 5 characters"):
        ServeOptions().token()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert ServeOptions(host="0.0.0.0", token_file=tmp_path / "token").token() == TOKEN
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        ServeOptions(token_file=tmp_path / "empty").token()


def test_every_answer_has_a_strict_policy(client: TestClient) -> None:
    for path in ("/", "/runs", "/jobs", "/upload", "/api/jobs", "/nowhere", "/static/page.js"):
        headers = client.get(path).headers
        assert "unsafe-inline" not in headers["content-security-policy"], path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


def test_no_page_holds_a_script_or_a_style_of_its_own(client: TestClient) -> None:
    for path in ("/", "/runs", "/jobs", "/upload"):
        text = client.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count('<script src="/static/page.js" defer></script>') == 1


@pytest.mark.parametrize("length", ["1000001", "9" * 30, "-1", "x"])
def test_a_large_body_is_refused_by_its_header(client: TestClient, length: str) -> None:
    answer = client.post(
        "/api/audit", content=b"{}", headers={"content-type": "application/json", "content-length": length}
    )
    assert answer.status_code in (400, 413)


def test_a_large_body_is_refused_though_its_header_is_missing(client: TestClient) -> None:
    pieces = (b"x" * 100_000 for _ in range(15))
    answer = client.post("/api/audit", content=pieces, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_scripts_in_prompts_are_shown_as_text(client: TestClient, form_key: str) -> None:
    text = "a [<script>alert(1)</script>] and a [<img src=x onerror=alert(1)>]"
    answer = client.post("/", data={**FORM, "prompts": text, "form_key": form_key})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "&lt;script&gt;" in answer.text
    refused = client.post("/", data={**FORM, "prompts": "<script>alert(1)</script>", "form_key": form_key})
    assert refused.status_code == 422
    assert "<script>alert" not in refused.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/jobs", {"cookie": "dominance=\u00e9"}, 401),
        ("GET", "/api/jobs", {"authorization": "Bearer \u00e9"}, 401),
        ("POST", "/api/audit", {"origin": "http://["}, 403),
    ],
)
def test_what_no_browser_sends_is_refused_too(
    serve: Callable[..., TestClient], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    assert serve(token=TOKEN).request(method, path, headers=sent).status_code == status


def test_an_ipv6_address_is_a_name_too() -> None:
    names = ServeOptions(allow_host=("fe80::1", "Gpu.example.com")).names
    assert {"[fe80::1]", "gpu.example.com", "127.0.0.1"} <= names


def test_the_processes_of_jobs_do_not_know_the_token(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str | None] = []
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setattr(
        listening.uvicorn.Server, "run", lambda server, sockets: held.append(os.environ.get(TOKEN_VARIABLE))
    )
    listening.listen(ServeOptions(folder=root, port=0), lambda url: None)
    assert held == [None]
