"""An endpoint with faults: what is asked again, what is given up, when the run stops, and that no answer is lost."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from mock_endpoint import Call, MockEndpoint, Reply, completion, error, serving, with_logprobs
from PIL import Image

from dominance.errors import ModelError
from dominance.judges.openai.calls import Caller
from dominance.judges.openai.endpoint import Endpoint, Key, Patience
from dominance.judges.openai.judge import OpenAIJudge, at_once
from dominance.judges.protocol import Judge, JudgeStoppedError, PacedJudge
from dominance.records import Answer, Question
from golden import Golden, one_a_case

SECRET = "sk-very-secret-0123456789"
QUICK = Patience(tries=3, first_wait=0.001, longest_wait=0.002, reply=2.0, connect=1.0)
ASKED = tuple(Question("mug", f"Is there a mug, by rule {grade}?", grade) for grade in (1, 2, 3, 4, 5))


@pytest.fixture
def endpoint() -> Iterator[MockEndpoint]:
    with serving(MockEndpoint()) as running:
        yield running


def judge_at(endpoint: MockEndpoint, patience: Patience = QUICK, model: str = "mock-vl") -> OpenAIJudge:
    place = Endpoint(endpoint.url, model, loopback=True)
    return OpenAIJudge(endpoint.judge, Caller(place, Key(SECRET, "DOMINANCE_JUDGE_KEY"), patience))


def pictures(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (8, 6), (number, 0, 0)) for number in range(count)]


def shade(call: Call) -> int:
    return call.image.convert("RGB").getpixel((0, 0))[0]


def first_times(count: int, fault: Reply, then: Callable[[Call], Reply] = lambda call: with_logprobs(0.9)):
    """The fault in the first calls, answers after them."""
    return lambda call: fault if call.number < count else then(call)


def test_every_image_gets_the_answers_to_its_own_questions_in_their_order(endpoint: MockEndpoint) -> None:
    endpoint.answer = lambda call: with_logprobs((shade(call) * 5 + int(call.question.split("rule ")[1][0])) / 20)
    judge: Judge = judge_at(endpoint)
    given = judge.answer(pictures(3), [ASKED, ASKED[3:], ASKED[:1]])
    assert [[round((a.p_yes or 0) * 20) for a in answers] for answers in given] == [[1, 2, 3, 4, 5], [9, 10], [11]]
    assert [[a.question for a in answers] for answers in given] == [list(ASKED), list(ASKED[3:]), list(ASKED[:1])]
    assert len(endpoint.calls) == 8
    assert {call.path for call in endpoint.calls} == {"/v1/chat/completions"}
    assert all(call.headers["Authorization"] == f"Bearer {SECRET}" for call in endpoint.calls)
    assert {call.image.size for call in endpoint.calls} == {(8, 6)}
    assert isinstance(judge, PacedJudge)


def test_several_questions_are_under_way_at_once_and_no_more_than_allowed(endpoint: MockEndpoint) -> None:
    counts, now, lock = [], [0], threading.Lock()

    def slow(call: Call) -> Reply:
        with lock:
            now[0] += 1
            counts.append(now[0])
        time.sleep(0.03)
        with lock:
            now[0] -= 1
        return with_logprobs(0.9)

    endpoint.answer = slow
    judge_at(endpoint, Patience(connections=3)).answer(pictures(3), [ASKED] * 3)
    assert max(counts) == 3


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down"),
        error(429, "slow down", Retry_After="0"),
        error(429, "slow down", Retry_After="soon"),
        error(500, "oops"),
        error(503),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(b'{"choices": [{"mess'),
        Reply(b'{"error": {"message": "busy"}}'),
        Reply(b""),
        Reply(dropped=True),
    ],
    ids=lambda fault: f"{fault.status} {fault.body[:20]!r} {fault.headers}",
)
def test_a_passing_fault_costs_no_answer(endpoint: MockEndpoint, fault: Reply) -> None:
    endpoint.answer = first_times(2, fault)
    (answers,) = judge_at(endpoint).answer(pictures(1), [ASKED])
    assert all(answer.yes for answer in answers)
    assert len(endpoint.calls) == 7


def test_a_slow_answer_is_asked_for_again(endpoint: MockEndpoint) -> None:
    endpoint.answer = first_times(1, Reply(after=0.6))
    (answers,) = judge_at(endpoint, Patience(first_wait=0.001, reply=0.3)).answer(pictures(1), [ASKED[:1]])
    assert answers[0].yes
    assert len(endpoint.calls) == 2


def test_an_endpoint_that_hangs_is_waited_for_less_often(endpoint: MockEndpoint) -> None:
    endpoint.answer = lambda call: Reply(after=0.5)
    judge = judge_at(endpoint, Patience(tries=5, first_wait=0.001, reply=0.1))
    ((answer,),) = judge.answer(pictures(1), [ASKED[:1]])
    assert answer.problem == "no answer within 0.1 s (DOMINANCE_JUDGE_TIMEOUT) (3 tries)"


def test_retry_after_is_honoured_by_all_threads(endpoint: MockEndpoint) -> None:
    begun = time.monotonic()
    times: list[float] = []

    def limited(call: Call) -> Reply:
        times.append(time.monotonic() - begun)
        return error(429, "slow down", Retry_After="0.3") if call.number == 0 else with_logprobs(0.9)

    endpoint.answer = limited
    judge_at(endpoint, Patience(connections=1)).answer(pictures(1), [ASKED])
    assert times[1] - times[0] >= 0.3


@pytest.mark.parametrize(
    "after",
    ["3600", "inf", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "for ever", "a date"],
)
def test_an_endpoint_that_asks_for_too_long_a_wait_is_given_up_at_once(endpoint: MockEndpoint, after: str) -> None:
    endpoint.answer = lambda call: error(429, "daily limit", Retry_After=after)
    (answers,) = judge_at(endpoint).answer(pictures(1), [ASKED[:1]])
    assert answers[0].yes is None
    assert "daily limit; the endpoint asks for a wait of" in (answers[0].problem or "")
    assert len(endpoint.calls) == 1


LASTING = {
    "an error": error(500, "oops"),
    "an overload": error(503),
    "broken JSON": Reply(b"{"),
    "no choices": Reply(b'{"error": {"message": "busy"}}'),
    "no yes or no": completion("I cannot see it."),
    "a refusal": error(400, "image too large"),
    "the key in an error": error(500, f"the key {SECRET} of this account"),
    "the key in an answer": completion(f"{SECRET}?"),
}


@pytest.mark.slow
def test_a_lasting_fault_leaves_its_image_unscored_and_says_why(endpoint: MockEndpoint, golden: Golden) -> None:
    reasons = {}
    for name, fault in LASTING.items():
        endpoint.answer = lambda call, fault=fault: fault if shade(call) == 1 else with_logprobs(0.2)
        judge = judge_at(endpoint)
        for _ in range(2):  # one bad image is no dead endpoint, however often it is asked about
            given = judge.answer(pictures(3), [ASKED] * 3)
            assert [{answer.yes for answer in answers} for answers in given] == [{False}, {None}, {False}]
            assert all((answer.problem or "").isprintable() for answer in given[1])
        reasons[name] = given[1][0].problem or ""
        assert SECRET not in reasons[name]
    golden("judges/unanswered", one_a_case(reasons))


def test_an_endpoint_that_fails_on_everything_stops_the_run_and_keeps_what_was_answered(
    endpoint: MockEndpoint,
) -> None:
    endpoint.answer = lambda call: with_logprobs(0.9) if call.number < 6 else error(503, "out of memory")
    judge = judge_at(endpoint)
    with pytest.raises(JudgeStoppedError, match=r"stopped answering: .* HTTP 503: out of memory") as stopped:
        judge.answer(pictures(4), [ASKED] * 4)
    answers = [answer for of_image in stopped.value.answers for answer in of_image]
    assert [len(of_image) for of_image in stopped.value.answers] == [5] * 4
    assert sum(answer.yes is True for answer in answers) == 6
    assert all(answer.problem for answer in answers if answer.yes is None)
    assert len(endpoint.calls) < 40
    endpoint.answer = lambda call: with_logprobs(0.9)  # mended: the same judge goes on
    assert all(answer.yes for of_image in judge.answer(pictures(4), [ASKED] * 4) for answer in of_image)


def test_a_dead_address_is_refused_before_anything_is_made_and_stops_a_run_soon() -> None:
    with serving(MockEndpoint()) as endpoint:
        pass
    judge = judge_at(endpoint)
    with pytest.raises(ModelError, match=r"nothing answers at http://127\.0\.0\.1:.*start the endpoint"):
        judge.check(ASKED)
    with pytest.raises(JudgeStoppedError, match="stopped answering"):
        judge.answer(pictures(1), [ASKED * 2])


def test_a_check_asks_no_question(endpoint: MockEndpoint) -> None:
    judge_at(endpoint).check(ASKED)
    endpoint.models = error(404, "no such page")
    judge_at(endpoint).check(ASKED)
    assert endpoint.calls == []
    endpoint.models = error(401, f"wrong key {SECRET}")
    with pytest.raises(
        ModelError, match=r"rejected the request: the API key in DOMINANCE_JUDGE_KEY .*HTTP 401: wrong key"
    ):
        judge_at(endpoint).check(ASKED)


FATAL = {
    "a wrong key": error(401, f"bad key: {SECRET}"),
    "no right": error(403),
    "no such model": error(404, "no model mock-vl"),
    "no money left": error(429, "insufficient_quota: you exceeded your current quota"),
    "a redirect": error(307, "", Location="https://evil.example/v1/chat/completions?x=1"),
    "a redirect to nowhere": error(302),
}


def test_what_is_wrong_for_every_question_stops_the_run_after_a_few_calls(
    endpoint: MockEndpoint, golden: Golden
) -> None:
    messages = {}
    for name, fault in FATAL.items():
        endpoint.answer = lambda call, fault=fault: fault
        endpoint.calls.clear()
        with pytest.raises(JudgeStoppedError) as stopped:
            judge_at(endpoint).answer(pictures(4), [ASKED] * 4)
        assert len(endpoint.calls) <= 9
        messages[name] = re.sub(r"127\.0\.0\.1:\d+", "HOST", str(stopped.value))
        assert SECRET not in messages[name]
        assert messages[name].isprintable()
    golden("judges/stopped", one_a_case(messages))


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda body: body.get("top_logprobs", 0) > 5, "top_logprobs must be at most 5"),
        (lambda body: "logprobs" in body, "logprobs are not supported with this model"),
        (lambda body: "logprobs" in body, "extra inputs are not permitted"),
        (lambda body: "max_tokens" in body, "use 'max_completion_tokens' instead of 'max_tokens'"),
        (lambda body: "temperature" in body, "temperature does not support 0"),
        (lambda body: {"max_tokens", "temperature", "logprobs"} & set(body), "not max_tokens, temperature, logprobs"),
    ],
)
def test_what_an_endpoint_does_not_know_is_left_out_and_remembered(
    endpoint: MockEndpoint, refused: Callable[[dict], bool], message: str
) -> None:
    def picky(call: Call) -> Reply:
        if refused(call.body):
            return error(400, message)
        return with_logprobs(0.7) if "logprobs" in call.body else completion("Yes")

    endpoint.answer = picky
    judge = judge_at(endpoint)
    given = [answer for of_image in judge.answer(pictures(2), [ASKED] * 2) for answer in of_image]
    assert all(answer.yes for answer in given)
    read = {answer.p_yes if answer.p_yes is None else round(answer.p_yes, 6) for answer in given}
    assert read == ({0.7} if "logprobs" in endpoint.calls[-1].body else {None})
    before = len(endpoint.calls)
    judge.answer(pictures(1), [ASKED])
    assert len(endpoint.calls) == before + 5


def test_a_reply_without_end_is_cut_off(endpoint: MockEndpoint) -> None:
    endpoint.answer = first_times(1, Reply(b" " * 3_000_000))
    (answers,) = judge_at(endpoint).answer(pictures(1), [ASKED[:1]])
    assert answers[0].yes
    assert len(endpoint.calls) == 2


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_endpoint() -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise ZeroDivisionError("no such luck")

    place = Endpoint("http://127.0.0.1:1/v1", "m", loopback=True)
    judge = OpenAIJudge("openai:x", Caller(place, Key(), QUICK, httpx2.MockTransport(broken)))
    with pytest.raises(ZeroDivisionError):
        judge.answer(pictures(1), [ASKED])


def test_work_that_is_stopped_begins_no_further_job() -> None:
    begun: list[int] = []

    def act(job: int, stop: threading.Event) -> bool:
        begun.append(job)
        return job == 0 or stop.wait(5)

    outcomes = at_once(act, range(100), 2)
    assert next(outcomes) == (0, True)
    outcomes.close()
    time.sleep(0.05)
    assert len(begun) <= 4


def test_every_job_is_done_once() -> None:
    assert sorted(at_once(lambda job, stop: job * 2, range(20), 3)) == [(job, job * 2) for job in range(20)]
    assert list(at_once(lambda job, stop: job * 2, [], 3)) == []


def test_answers_are_plain_records(endpoint: MockEndpoint) -> None:
    (answers,) = judge_at(endpoint).answer(pictures(1), [ASKED[:1]])
    assert answers == (Answer(ASKED[0], True, pytest.approx(0.9)),)
