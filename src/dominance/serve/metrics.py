"""What the service counts, in the text form that Prometheus reads."""

from collections import Counter
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends in seconds."""
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""Methods that are counted by name: a request may make up others, and each would stay in memory."""


class Counts:
    """Counters of one process; any thread may count."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._buckets = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0
        self._refused: Counter[int] = Counter()

    def request(self, method: str, route: str, status: int) -> None:
        """Counts an answered request, by the route's pattern, never by its path."""
        with self._lock:
            self._requests[method if method in _METHODS else "other", route, status] += 1

    def refusal(self, status: int) -> None:
        """Counts a request that was not let in."""
        with self._lock:
            self._refused[status] += 1

    def scored(self, verdict: str, seconds: float) -> None:
        """Counts an image that ``POST /score`` answered."""
        with self._lock:
            self._verdicts[verdict] += 1
            place = next((place for place, end in enumerate(_BUCKETS) if seconds <= end), len(_BUCKETS))
            self._buckets[place] += 1
            self._seconds += seconds

    def text(self, jobs: Mapping[Any, int], live: Mapping[str, float]) -> str:
        """All of it.

        Args:
            jobs: number of jobs by state.
            live: gauges and counters of ``POST /score``, by name; a name that ends in ``_total`` only grows.
        """
        with self._lock:
            return "\n".join([*self._lines(jobs, live), ""])

    def _lines(self, jobs: Mapping[Any, int], live: Mapping[str, float]) -> Iterator[str]:
        yield from _family("dominance_jobs", "gauge", "Jobs by state.")
        for state, count in jobs.items():
            yield _sample("dominance_jobs", {"state": state}, count)
        yield from _family("dominance_requests_total", "counter", "Requests by route and status.")
        for (method, route, status), count in sorted(self._requests.items()):
            labels = {"method": method, "route": route, "status": str(status)}
            yield _sample("dominance_requests_total", labels, count)
        yield from _family("dominance_requests_refused_total", "counter", "Requests that were not let in, by status.")
        for refused, count in sorted(self._refused.items()):
            yield _sample("dominance_requests_refused_total", {"status": str(refused)}, count)
        yield from _family("dominance_scored_images_total", "counter", "Images of POST /score by verdict.")
        for verdict, count in sorted(self._verdicts.items()):
            yield _sample("dominance_scored_images_total", {"verdict": verdict}, count)
        yield from _family("dominance_score_seconds", "histogram", "Seconds until POST /score answered.")
        total = 0
        for end, count in zip((*map(str, _BUCKETS), "+Inf"), self._buckets, strict=True):
            total += count
            yield _sample("dominance_score_seconds_bucket", {"le": end}, total)
        yield f"dominance_score_seconds_sum {self._seconds:.6f}"
        yield f"dominance_score_seconds_count {total}"
        for name, value in live.items():
            yield from _family(name, "counter" if name.endswith("_total") else "gauge", "Of POST /score.")
            yield f"{name} {value:g}"


def _family(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    written = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{written}}} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
