"""A service whose jobs wait: nothing of it listens, and no job is begun."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_runs import form_key_of
from starlette.testclient import TestClient

from dominance.serve.app import make_app
from dominance.serve.options import ServeOptions
from dominance.serve.work import Work

URL = "http://127.0.0.1:8321"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs."""
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def serve(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TestClient]]:
    """Makes a client of a service with these options."""
    monkeypatch.setattr(Work, "begin", lambda self: None)
    monkeypatch.setattr(Work, "end", lambda self: None)
    clients: list[TestClient] = []

    def build(token: str | None = None, url: str = URL, **options: object) -> TestClient:
        client = TestClient(
            make_app(ServeOptions(**{"folder": root, **options}), token), base_url=url, raise_server_exceptions=False
        )
        clients.append(client)
        return client.__enter__()

    yield build
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    """A service with the defaults."""
    return serve()


@pytest.fixture
def form_key(client: TestClient) -> str:
    """What the forms of that service hold."""
    return form_key_of(client)
