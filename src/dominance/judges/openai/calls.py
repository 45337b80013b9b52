"""One question to an OpenAI-compatible endpoint, with time limits and retries."""

import json
import math
import random
import ssl
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from dominance.errors import ModelError
from dominance.judges.openai.endpoint import KEY_VARIABLES, Endpoint, Key, Patience
from dominance.judges.openai.forms import Form
from dominance.judges.openai.options import EndpointOptions
from dominance.judges.openai.replies import MalformedReplyError, advice, foreign_reply, message_of, read_reply
from dominance.records import Answer, Question
from dominance.wording import complaint

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LARGEST_REPLY = 2_000_000
_MOST_PAUSES = 8


class UnansweredError(Exception):
    """A question that the endpoint did not answer.

    Attributes:
        unreachable: whether there was not even a connection.
    """

    def __init__(self, message: str, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class _PassingError(Exception):
    """A failure that may pass.

    Attributes:
        wait: the seconds that the endpoint asks for.
        weight: how many tries it counts for; 2 where it has cost a whole time limit.
    """

    def __init__(self, message: str, wait: float | None = None, unreachable: bool = False, weight: int = 1) -> None:
        super().__init__(message)
        self.wait, self.unreachable, self.weight = wait, unreachable, weight


class _RefusedError(Exception):
    """The endpoint does not take this request."""


class Caller:
    """Puts questions to one endpoint, from several threads at once.

    Attributes:
        form: how questions are put; what the endpoint turned out to refuse is left out of it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: Key,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
        options: EndpointOptions | None = None,
    ) -> None:
        self.endpoint, self.key, self.patience = endpoint, key, patience or Patience()
        self.options = options or EndpointOptions()
        self.form = self.options.form
        self._transport = transport
        self._certificates: ssl.SSLContext | None = None
        self._quiet_until = 0.0

    def client(self) -> httpx2.Client:
        """Connections to the endpoint, to be closed by whoever opens them; no redirect is followed."""
        if self._certificates is None:  # once, because reading the system's certificates takes longer than a call
            secure = self.endpoint.base.startswith("https:")
            self._certificates = httpx2.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx2.Client(
            verify=self._certificates,
            headers={"User-Agent": "dominance", **self.key.headers()},
            params={"api-version": self.options.api_version} if self.options.api_version else None,
            timeout=httpx2.Timeout(self.patience.reply, connect=self.patience.connect),
            limits=httpx2.Limits(max_connections=self.patience.connections),
            follow_redirects=False,
            trust_env=not self.endpoint.loopback,  # a proxy cannot reach this machine's own address
            transport=self._transport,
        )

    def ask(
        self, client: httpx2.Client, picture: str, question: Question, stop: threading.Event, tries: int | None = None
    ) -> Answer:
        """The answer to one question about one picture, a data URL.

        Raises:
            UnansweredError: the endpoint did not answer, or does not take this question.
            ModelError: it will answer none: a wrong key, model or address.
        """
        form, tries, asked, failed, pauses = self.form, tries or self.patience.tries, 0, 0, 0
        refused_forms: set[Form] = set()
        while True:
            self._wait(stop, self._quiet_until - time.monotonic())
            try:
                answer = self._once(client, form, picture, question)
            except _RefusedError as refused:
                refused_forms.add(form)
                form = _conceded(form, self.form, refused_forms, str(refused))
            except _PassingError as again:
                asked += 1
                if again.wait is None:
                    failed += again.weight
                else:
                    pauses += 1
                if failed >= tries or pauses >= _MOST_PAUSES or (again.wait or 0) > self.patience.longest_pause:
                    raise UnansweredError(self._given_up(again, asked), again.unreachable) from None
                self._hold(stop, again.wait, failed)
            else:
                self.form = form
                return answer

    def check(self) -> None:
        """Raises a ModelError if nothing answers at the address, or the key is not accepted; asks no question."""
        with self.client() as client:
            for left in (2, 1, 0):
                try:
                    self._look(client)
                except httpx2.TransportError as error:
                    if left:
                        time.sleep(self.patience.first_wait)
                        continue
                    told = self._told(complaint(error, 400))
                    raise ModelError(
                        f"nothing answers at {self.endpoint.base[:120]} ({type(error).__name__}: {told}); start the"
                        " endpoint, or check the URL and the connection"
                    ) from None
                return

    def _look(self, client: httpx2.Client) -> None:
        """Asks for the list of models, and heeds only whether that is allowed: not every endpoint has one."""
        with client.stream("GET", f"{self.endpoint.base}/models", timeout=self.patience.connect) as reply:
            if reply.status_code in (401, 403):
                told = self._told(message_of(_document(self._content(reply))))
                raise self._rejected(reply.status_code, told)

    def _once(self, client: httpx2.Client, form: Form, picture: str, question: Question) -> Answer:
        body = form.body(self.endpoint.model, picture, question)
        try:
            with client.stream("POST", f"{self.endpoint.base}/chat/completions", json=body) as reply:
                content = self._content(reply)
        except httpx2.TimeoutException as error:
            raise self._late(isinstance(error, httpx2.ConnectTimeout)) from None
        except (httpx2.HTTPError, OSError) as error:
            told = self._told(complaint(error, 400))
            raise _PassingError(
                f"{type(error).__name__}: {told}", unreachable=isinstance(error, httpx2.ConnectError)
            ) from None
        document = _document(content)
        if reply.status_code != 200:
            raise self._failure(reply, self._told(message_of(document)))
        if document is None and (foreign := foreign_reply(self._told(content.decode(errors="replace")))) is not None:
            raise ModelError(f"the endpoint {self.endpoint.base[:120]} {foreign}")
        try:
            return _scrubbed(read_reply(question, document), self.key)
        except MalformedReplyError as malformed:
            raise _PassingError(
                self._told(str(malformed) if document is not None else "the reply is not JSON")
            ) from None

    def _content(self, reply: httpx2.Response) -> bytes:
        """The whole reply, unless it is endless in length or in time."""
        content, late = bytearray(), time.monotonic() + self.patience.reply
        for chunk in reply.iter_bytes():
            content += chunk
            if len(content) > _LARGEST_REPLY:
                raise _PassingError(f"the reply is longer than {_LARGEST_REPLY // 1_000_000} MB")
            if time.monotonic() > late:
                raise self._late(False)
        return bytes(content)

    def _late(self, unreachable: bool) -> _PassingError:
        told = f"no answer within {self.patience.reply:g} s (DOMINANCE_JUDGE_TIMEOUT)"
        return _PassingError(told, unreachable=unreachable, weight=2)

    def _failure(self, reply: httpx2.Response, told: str) -> Exception:
        status, where = reply.status_code, self.endpoint.base[:120]
        said = f"HTTP {status}" + (f": {told}" if told else "")
        if "insufficient_quota" in told or "exceeded your current quota" in told:
            return ModelError(
                f"the endpoint {where} reports {said}; check the account, then run the same command again"
            )
        if status in _AGAIN or status >= 500:
            return _PassingError(said, asked_wait(reply.headers.get("Retry-After")))
        if status == 401 or (status == 403 and "logprob" not in told.lower()):
            return self._rejected(status, told)
        if 300 <= status < 400:
            goal = urlsplit(reply.headers.get("Location", ""))
            there = self._told(f"{goal.scheme}://{goal.hostname}{goal.path}" if goal.hostname else goal.path)[:120]
            return ModelError(
                f"the endpoint {where} redirects to {there or 'nowhere'} (HTTP {status});"
                " redirects are not followed; give the final URL"
            )
        if status == 404:
            return ModelError(
                f"the endpoint {where} has no {self.endpoint.model[:80]!r} ({said}); check the model's"
                " name after #, and that the URL is the part before /chat/completions, often ending in /v1"
            )
        return self._refused(said, told, advice(status, told))

    def _refused(self, said: str, told: str, helps: str) -> Exception:
        if (chosen := self.form.refused_choice(told)) is not None:
            return ModelError(
                f"the endpoint {self.endpoint.base[:120]} does not take --judge-option {chosen} as given ({said});"
                " change it, or leave it out"
            )
        return _RefusedError(said + helps)

    def _rejected(self, status: int, told: str) -> ModelError:
        held = f"the API key in {self.key.variable} is not accepted" if self.key else "no API key"
        return ModelError(
            f"the endpoint {self.endpoint.base[:120]} rejected the request: {held} (HTTP {status}"
            f"{f': {told}' if told else ''}); set {KEY_VARIABLES[0]} to a valid key"
        )

    def _given_up(self, again: _PassingError, tries: int) -> str:
        if again.wait is not None and again.wait > self.patience.longest_pause:
            return f"{again}; the endpoint asks for a wait of {again.wait:.0f} s"
        return f"{again} ({tries} {'try' if tries == 1 else 'tries'})"

    def _told(self, text: str) -> str:
        return self.key.scrubbed(text)[:200]  # in this order, so that no half of a key is left

    def _hold(self, stop: threading.Event, asked: float | None, failed: int) -> None:
        """Waits before the next try; what the endpoint asked for holds for all threads."""
        if asked is not None:
            self._quiet_until = max(self._quiet_until, time.monotonic() + asked)
            self._wait(stop, random.uniform(0, min(0.25, asked)))
        else:
            most = min(self.patience.first_wait * 2 ** (failed - 1), self.patience.longest_wait)
            self._wait(stop, random.uniform(most / 2, most))

    @staticmethod
    def _wait(stop: threading.Event, seconds: float) -> None:
        if stop.wait(max(0.0, seconds)):
            raise UnansweredError("not asked: the run was stopped")


def _conceded(form: Form, known: Form, refused: set[Form], reason: str) -> Form:
    """The next form to try: one that another thread found meanwhile, or one that asks for less."""
    following = known if known not in refused else form.without(reason)
    if following is None or following in refused:
        raise UnansweredError(reason)
    return following


def _scrubbed(answer: Answer, key: Key) -> Answer:
    if answer.problem is None:
        return answer
    return Answer(answer.question, answer.yes, answer.p_yes, key.scrubbed(answer.problem))


def _document(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def asked_wait(header: str | None) -> float | None:
    """Seconds of a Retry-After header, which gives seconds or a date; None where it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
    return None if math.isnan(seconds) else max(0.0, seconds)
