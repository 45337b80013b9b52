"""How long the service takes with ten users at once: ``python benchmarks/serving.py``.

Starts ``dominance serve`` on loopback with a folder of runs, and asks it from ten threads at once, each one request
after the other: pages first, then ``POST /score`` with the bundled judge. Prints medians and 95th percentiles.
"""

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fixtures"))
from made_runs import make_run, png

PROMPT = "a [castle:landmark] and a [chair]"
PAGES = ("/", "/runs", "/runs/run-0", "/jobs", "/runs/run-0/label?reader=Ada", "/static/page.css")


def asked(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, float]:
    """The status of one request, and its seconds."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body, {"Content-Type": "image/png", "Dominance-Prompt": PROMPT} if body else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, time.monotonic() - began


def at_once(users: int, each: int, ask: Callable[[int], tuple[int, float]]) -> list[float]:
    """The seconds of all requests of so many users, each with so many one after the other."""
    found: list[float] = []

    def user(number: int) -> None:
        for turn in range(each):
            status, seconds = ask(number * each + turn)
            assert status == 200, status
            found.append(seconds)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def told(seconds: list[float], wall: float) -> dict[str, float]:
    """What is printed of them."""
    return {
        "requests": len(seconds),
        "median ms": round(1000 * seconds[len(seconds) // 2], 1),
        "95% within ms": round(1000 * seconds[int(0.95 * (len(seconds) - 1))], 1),
        "slowest ms": round(1000 * seconds[-1], 1),
        "a second": round(len(seconds) / wall, 1),
    }


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--runs", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        for number in range(given.runs):
            make_run(root, f"run-{number}")
        command = [
            sys.executable,
            "-m",
            "dominance",
            "serve",
            "--folder",
            str(root),
            "--port",
            "0",
            "--score-seconds",
            "60",
        ]
        service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert service.stderr
        try:
            port = int(re.findall(r":(\d+);", service.stderr.readline())[0])
            figures = {"users": given.users, "runs": given.runs}
            image = png()
            print(json.dumps(figures | measured(port, given.users, given.each, image), indent=2))
        finally:
            service.terminate()
            service.wait()


def measured(port: int, users: int, each: int, image: bytes) -> dict[str, object]:
    """Pages and scores, after one of each that is not counted."""
    until = time.monotonic() + 300
    for path, body in ((page, None) for page in PAGES):
        while True:
            try:
                if asked(port, "GET", path, body)[0] == 200:
                    break
            except OSError:
                time.sleep(0.2)
    while asked(port, "POST", "/score", image)[0] != 200:
        assert time.monotonic() < until
        time.sleep(1)
    began = time.monotonic()
    pages = at_once(users, each, lambda turn: asked(port, "GET", PAGES[turn % len(PAGES)]))
    wall = time.monotonic() - began
    began = time.monotonic()
    one = at_once(1, each, lambda _: asked(port, "POST", "/score", image))
    alone = time.monotonic() - began
    began = time.monotonic()
    scores = at_once(users, each, lambda _: asked(port, "POST", "/score", image))
    return {
        "pages": told(pages, wall),
        "POST /score, one user": told(one, alone),
        "POST /score": told(scores, time.monotonic() - began),
    }


if __name__ == "__main__":
    main()
