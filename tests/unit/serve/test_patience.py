"""Who sends slowly, or says nothing, holds no place for long; and who watches is counted."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.testclient import TestClient

from dominance.serve.app import make_app
from dominance.serve.listening import impatient
from dominance.serve.options import ServeOptions
from dominance.serve.state import State

SECONDS = 1.0
HEAD = b"POST /api/audit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A service on loopback that waits a second."""
    app = make_app(ServeOptions(folder=tmp_path_factory.mktemp("runs"), body_seconds=SECONDS))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, http=impatient(SECONDS), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join(30)


def until_closed(connection: socket.socket, drop: bytes = b"") -> bytes:
    """What comes until the other side ends, while a byte is sent every now and then; it does not go on for ever."""
    connection.settimeout(0.2)
    answer, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if drop:
                connection.sendall(drop)
            piece = connection.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return answer
        if not piece:
            return answer
        answer += piece
    raise AssertionError("the connection was kept")


@pytest.mark.parametrize(
    ("sent", "drop", "told"),
    [
        (b"", b"", b""),
        (b"GET / HT", b"", b""),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"a", b""),
        (HEAD + b"Content-Length: 900000\r\n\r\n", b" ", b"408"),
        (HEAD + b"Content-Length: 900000\r\n\r\n{", b"", b"408"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"408"),
        (b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /jobs HT", b"", b"200"),
    ],
    ids=["silence", "half a line", "a slow head", "a slow body", "no body", "slow pieces", "a second head"],
)
def test_what_comes_too_slowly_is_not_waited_for(port: int, sent: bytes, drop: bytes, told: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        answer = until_closed(connection, drop)
        assert answer.split(b" ")[1:2] == ([told] if told else [])
        assert time.monotonic() - began >= 0.5 * SECONDS


def test_a_body_that_comes_well_may_take_longer(port: int) -> None:
    body = json.dumps({"prompts": ["a mug"], "negative_prompt": "x" * 700_000}).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
        began = time.monotonic()
        for start in range(0, len(body), 50_000):  # faster than the slowest, slower than the seconds that all have
            connection.sendall(body[start : start + 50_000])
            time.sleep(0.12)
        assert time.monotonic() - began > SECONDS
        assert until_closed(connection).split(b" ")[1] == b"422"


def test_only_so_many_watch_at_once(serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[State] = []
    made = State.of
    monkeypatch.setattr(State, "of", lambda *given: states.append(made(*given)) or states[-1])
    client = serve(most_watching=1)
    job = client.post("/api/audit", json={"prompts": ["a [mug]"], "seeds": 1}).json()["id"]
    monkeypatch.setattr("dominance.serve.api._LONGEST_WATCHED", 0.1)
    for _ in range(3):  # each gives its place free when it ends
        answer = client.get(f"/api/jobs/{job}/events")
        assert answer.status_code == 200
        assert json.loads(answer.text.removeprefix("data: "))["state"] == "queued"
    (state,) = states
    assert state.watchers.acquire(blocking=False)
    refused = client.get(f"/api/jobs/{job}/events")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    state.watchers.release()
    assert client.get(f"/api/jobs/{job}/events").status_code == 200
