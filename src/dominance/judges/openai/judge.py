"""Judges behind an OpenAI-compatible endpoint: one question a call, P(yes) where log-probabilities are given."""

import hashlib
import itertools
import json
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2
from PIL import Image

from dominance.errors import ModelError
from dominance.judges.openai.calls import Caller, UnansweredError
from dominance.judges.openai.endpoint import find_key, patience_from, read_endpoint
from dominance.judges.openai.forms import WORDING
from dominance.judges.openai.options import read_endpoint_options
from dominance.judges.openai.replies import READING
from dominance.judges.openai.sent import JPEG_QUALITY, data_url
from dominance.judges.protocol import JudgeStoppedError
from dominance.records import Answer, Question

_Job = tuple[int, int]
"""Image and question, by their places in the batch."""
_HURRIED = 4
"""Questions given up in a row from which the next ones get one try each."""
_TOO_MANY = 8
"""Questions given up in a row from which the endpoint counts as gone."""
_SEVERAL = 3
"""Images that they must be about, unless not even a connection stands: one bad image is not a dead endpoint."""

_MOMENT = 1.0
"""Seconds that jobs under way get to end."""

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass
class Losses:
    """The questions that were given up since the last one that was answered."""

    count: int = 0
    unreachable: int = 0
    images: set[int] = field(default_factory=set)
    reason: str = ""

    def add(self, image: int, given_up: UnansweredError) -> None:
        """One more, about an image of that number."""
        self.count += 1
        self.unreachable += given_up.unreachable
        self.images.add(image)
        self.reason = str(given_up)

    @property
    def hurried(self) -> bool:
        return self.count >= _HURRIED

    @property
    def gone(self) -> bool:
        return self.count >= _TOO_MANY and (len(self.images) >= _SEVERAL or self.unreachable == self.count)


class OpenAIJudge:
    """A model behind an OpenAI-compatible endpoint; ``load_openai_judge`` makes one.

    Attributes:
        name: as the user named it.
        identity: hash of address, model, wording, options and how replies are read. It cannot see that the endpoint
            changed what is behind a name.
        images_at_once: images whose answers are kept together.
    """

    def __init__(self, name: str, caller: Caller, images_at_once: int = 4) -> None:
        self.name = name
        self.images_at_once = images_at_once
        endpoint = caller.endpoint
        decisive: dict[str, object] = {
            "base": endpoint.base,
            "model": endpoint.model,
            "wording": WORDING,
            "reading": READING,
        }
        decisive |= {"options": dict(caller.options.given)} if caller.options.given else {}
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
        self.identity = f"sha256:{digest[:24]}"
        self._caller = caller
        self._losses = Losses()
        self._numbers = itertools.count()

    def __repr__(self) -> str:
        return f"OpenAIJudge({self.name!r})"

    def check(self, questions: Sequence[Question]) -> None:  # noqa: ARG002 - it understands any question
        """Raises a ModelError if nothing answers at the address or the key is refused, before any image is made."""
        self._caller.check()

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """For each image the answers to its own questions, in their order; an unanswered one says why.

        Raises:
            JudgeStoppedError: the endpoint is gone, or will answer none; what it answered is in it.
        """
        pictures = [data_url(image, self._caller.options.image_side) for image in images]
        numbers = [next(self._numbers) for _ in images]
        answers = {
            (image, index): Answer(question, None, None, "not asked: the endpoint stopped answering")
            for image, asked in enumerate(questions)
            for index, question in enumerate(asked)
        }
        # Image by image within each question, so that one bad image does not look like a dead endpoint.
        jobs = sorted(answers, key=lambda job: job[::-1])
        with self._caller.client() as client:

            def ask(job: _Job, stop: threading.Event) -> Answer:
                tries = 1 if self._losses.hurried else None
                return self._caller.ask(client, pictures[job[0]], questions[job[0]][job[1]], stop, tries)

            outcomes = at_once(ask, jobs, self._caller.patience.connections)
            try:
                reason = self._gather(outcomes, answers, numbers)
            finally:
                outcomes.close()
        given = [tuple(answers[image, index] for index in range(len(asked))) for image, asked in enumerate(questions)]
        if reason is not None:
            raise JudgeStoppedError(reason, given)
        return given

    def describe(self) -> dict[str, object]:
        """What a manifest says about it: the endpoint, the model, what is sent, and how its answers were read."""
        endpoint, options = self._caller.endpoint, self._caller.options
        method = "P(yes) from the first token's log-probabilities; where there are none, yes or no from the text alone"
        sent = "PNG, as they are"
        if options.image_side is not None:
            sent += f"; larger than {options.image_side} pixels: scaled down to that, JPEG of quality {JPEG_QUALITY}"
        described: dict[str, object] = {"endpoint": endpoint.base, "model": endpoint.model, "method": method}
        return described | {"images_sent": sent} | ({"options": dict(options.given)} if options.given else {})

    @property
    def answer_tokens(self) -> int:
        """The most tokens that it may write in one answer."""
        return self._caller.form.tokens

    def bytes_sent(self, image: Image.Image) -> int:
        """How many bytes a question about this image carries for it."""
        return len(data_url(image, self._caller.options.image_side))

    def _gather(
        self, outcomes: Iterable[tuple[_Job, Answer | Exception]], answers: dict[_Job, Answer], numbers: list[int]
    ) -> str | None:
        """Enters what comes; why the endpoint has to be left, or None."""
        for job, outcome in outcomes:
            if isinstance(outcome, Answer):
                answers[job] = outcome
                self._losses = Losses()
            elif isinstance(outcome, UnansweredError):
                answers[job] = Answer(answers[job].question, None, None, str(outcome))
                self._losses.add(numbers[job[0]], outcome)
                if self._losses.gone:
                    return self._gone()
            elif isinstance(outcome, ModelError):
                return f"{outcome}; earlier answers are kept"
            else:
                raise outcome
        return None

    def _gone(self) -> str:
        lost, self._losses = self._losses, Losses()
        return (
            f"the judge {self.name[:120]!r} stopped answering: {lost.count} questions in a row went unanswered, the"
            f" last with {lost.reason}; earlier answers are kept: fix the endpoint or wait,"
            " then run the same command again"
        )


def at_once(
    act: Callable[[Job, threading.Event], Result], jobs: Sequence[Job], workers: int
) -> Generator[tuple[Job, Result | Exception]]:
    """Does the jobs in a few threads; each with its result, or what it raised, as soon as it is there.

    When the generator is closed, the event that ``act`` is given is set, no further job begins, and those under way
    get a moment to end; the threads are daemons, so that a request that hangs does not keep the process alive.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Job, Result | Exception]] = queue.SimpleQueue()
    stop = threading.Event()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        while not stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((job, act(job, stop)))
            except Exception as error:  # handed to the thread that waits for it
                done.put((job, error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(jobs)))]
    try:
        for thread in threads:
            thread.start()
        for _ in jobs:
            yield done.get()
    finally:
        stop.set()
        late = time.monotonic() + _MOMENT
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, late - time.monotonic()))


def load_openai_judge(name: str, address: str, options: Mapping[str, object] | None = None) -> OpenAIJudge:
    """The judge at ``URL#MODEL``, for instance ``http://127.0.0.1:8000/v1#qwen2.5-vl``; nothing is sent yet.

    The key comes from ``DOMINANCE_JUDGE_KEY``, else ``OPENAI_API_KEY``, further headers from
    ``DOMINANCE_JUDGE_HEADERS``, and from nowhere else. They are sent over plain http only to this machine, unless
    ``DOMINANCE_JUDGE_PLAIN_HTTP=1``. ``DOMINANCE_JUDGE_TIMEOUT`` (seconds, 60) and ``DOMINANCE_JUDGE_CONNECTIONS`` (4)
    say how long and with how many questions at once the endpoint is waited for.

    Args:
        options: see ``read_endpoint_options``. With ``api-version``, the key is sent in the header ``api-key``, as
            Azure wants it.

    Raises:
        ModelError: no usable URL or model, a key that must not be sent there, a setting out of range.
        InputError: an option that cannot be used.
    """
    found, chosen = read_endpoint(address), read_endpoint_options(options or {})
    try:
        httpx2.URL(found.base)
    except (httpx2.InvalidURL, ValueError):
        raise ModelError(
            f"the judge's URL is {found.base[:80]!r}, which is not a valid URL; check its host and port"
        ) from None
    key = find_key(found, header="api-key" if chosen.api_version else "Authorization")
    return OpenAIJudge(name, Caller(found, key, patience_from(), options=chosen))
