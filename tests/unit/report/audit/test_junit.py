"""The JUnit file, read back by a parser that we did not write."""

from xml.etree import ElementTree

import pytest

from dominance.errors import RunError
from dominance.records import Gate, JudgeWarning, LeftOut
from dominance.report.audit.junit import write_junit
from dominance.run_settings import RunSettings

LOST_MUG, BOTH, OUT = (5, 0), (5, 5), "out of memory"


def parsed(run, tmp_path):
    return ElementTree.parse(write_junit(run, tmp_path / "deep" / "junit.xml")).getroot().find("testsuite")


def properties(case):
    return {item.get("name"): item.get("value") for item in case.iter("property")}


@pytest.fixture
def run_with(prompt_of, run_of):
    def build(gate):
        prompts = (
            prompt_of([LOST_MUG] * 10),
            prompt_of([BOTH] * 10, ("book", "lamp")),
            prompt_of([OUT], ("robot", "lamp")),
        )
        return run_of(*prompts, gate=gate)

    return build


def passing(suite):
    """Names of the cases that a build server shows as passed."""
    return [c.get("name").partition(":")[0] for c in suite.findall("testcase") if c.find("failure") is c.find("error")]


def test_without_a_gate_nothing_fails(run_with, tmp_path):
    suite = parsed(run_with(None), tmp_path)
    assert suite.attrib == {"name": "entity-object", "tests": "3", "failures": "0", "skipped": "0", "errors": "1"}
    first, second, third = suite.findall("testcase")
    assert first.attrib == {"classname": "miniature", "name": "tower-mug: a tower and a mug"}
    found = properties(first)
    assert found["dvd_mean"] == "100" and found["collapsed"] == "10" and found["scored"] == "10"
    assert found["dominating"] == "tower" and found["dominated"] == "mug"
    assert found["presence tower"] == "10/10" and found["presence mug"] == "0/10"
    assert properties(second)["verdict"] == "balanced"
    assert third.find("error").get("message") == "0 of 1 image scored: out of memory"
    assert "dvd_mean" not in properties(third)
    assert passing(suite) == ["tower-mug", "book-lamp"]
    assert suite.find("system-out") is None


def test_failures_of_the_gate_belong_to_their_prompts_and_to_the_gate(run_with, tmp_path):
    suite = parsed(run_with(Gate(max_collapse=0.2, max_unscored=0.5)), tmp_path)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    first, _, third, gate = suite.findall("testcase")
    assert "10 of 10 images collapse" in first.find("failure").get("message")
    assert first.find("failure").text == "tower takes over from mug in 10 of 10 images"
    assert third.find("error").get("message") == "0 of 1 image scored: out of memory"
    assert gate.get("name") == "gate"
    assert gate.find("failure").get("message").startswith("2 of 3 prompts fail: tower-mug: 10 of 10 images collapse")
    assert gate.find("failure").text.splitlines() == [
        "tower-mug: 10 of 10 images collapse, tower dominating (limit 20%)",
        "robot-lamp: its image was not scored: out of memory",
    ]
    assert passing(suite) == ["book-lamp"]


def test_a_prompt_says_how_many_of_its_images_hang_on_doubtful_answers(prompt_of, run_of, tmp_path):
    doubtful = [(5, (1, 1, 3))] * 2
    suite = parsed(run_of(prompt_of([*doubtful, BOTH]), gate=Gate(max_collapse=0.2)), tmp_path)
    first, _ = suite.findall("testcase")
    properties = {p.get("name"): p.get("value") for p in first.find("properties")}
    assert (properties["hanging"], properties["collapsed"]) == ("2", "2")
    assert first.find("failure").get("message").endswith("(limit 20%), but 2 of them hang on doubtful answers")
    assert first.find("failure").text.endswith("; 2 hang on doubtful answers")


def test_no_prompt_passes_where_the_gate_fails_for_the_whole_run(prompt_of, run_of, tmp_path):
    suite = parsed(run_of(prompt_of([BOTH] * 9 + [OUT]), gate=Gate(max_collapse=0.2)), tmp_path)
    prompt, gate = suite.findall("testcase")
    reason = "1 of 10 images are unscored (limit 0%)"
    assert prompt.find("error").get("message") == f"the gate fails for the whole run: {reason}"
    assert gate.find("failure").get("message") == reason
    assert passing(suite) == []


def test_an_unscored_image_hides_no_prompts_failure(run_with, tmp_path):
    suite = parsed(run_with(Gate(max_collapse=0.2)), tmp_path)
    first, second, third, gate = suite.findall("testcase")
    assert "10 of 10 images collapse" in first.find("failure").get("message")
    assert second.find("error") is not None
    assert third.find("error").get("message") == "0 of 1 image scored: out of memory"
    assert gate.find("failure").get("message").startswith("1 of 21 images are unscored (limit 0%); and 2 of 3 ")
    assert (suite.get("failures"), suite.get("errors")) == ("2", "2")
    assert passing(suite) == []


def test_a_prompt_without_images_is_an_error(prompt_of, run_of, tmp_path):
    suite = parsed(
        run_of(prompt_of([BOTH] * 10), prompt_of([], ("book", "lamp")), gate=Gate(max_collapse=0.2)), tmp_path
    )
    _, empty, gate = suite.findall("testcase")
    assert empty.find("error").get("message") == "no images"
    assert gate.find("failure").text == "book-lamp: it has no images"


def test_a_gate_that_holds(prompt_of, run_of, tmp_path):
    suite = parsed(run_of(prompt_of([BOTH] * 10), gate=Gate(max_collapse=0.2)), tmp_path)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    assert passing(suite) == ["tower-mug", "gate"]


UNFIT = JudgeWarning("another world", "the judge was made for others")


def test_an_unfit_judge_is_named_and_vouches_for_nothing(prompt_of, run_of, tmp_path):
    told = {"judge_warnings": (UNFIT,)}
    suite = parsed(run_of(prompt_of([BOTH] * 10), gate=Gate(max_collapse=0.2), **told), tmp_path)
    assert suite.find("properties/property[@name='judge warning: another world']").get("value") == UNFIT.says
    assert suite.find("system-out").text == "warning: the judge was made for others"
    assert suite[-1].tag == "system-out"
    assert suite.find("testcase[@name='gate']/failure").get("message") == UNFIT.says
    assert passing(suite) == []
    without_gate = parsed(run_of(prompt_of([BOTH] * 10), **told), tmp_path)
    assert without_gate.find("system-out") is not None
    assert passing(without_gate) == ["tower-mug"]


def test_what_was_not_used_and_what_the_model_does_not_know_is_told(prompt_of, run_of, tmp_path):
    told = {
        "left_out": (LeftOut("castle", "fits no prompt", 10, missing=True), LeftOut("grid.png", "is a contact sheet")),
        "unread": {"tower-mug": "the model does not know 'mug'"},
    }
    suite = parsed(run_of(prompt_of([BOTH]), **told), tmp_path)
    said = "11 images were not used; 10 of them may belong to the result."
    assert suite.find("properties/property[@name='not used']").get("value") == said
    assert suite.find("system-out").text.splitlines() == [
        "not used: castle (10 images) fits no prompt",
        "not used: grid.png is a contact sheet",
        said,
        "note: prompt tower-mug: the model does not know 'mug'",
    ]


def test_an_unfit_judge_may_be_allowed(prompt_of, run_of, tmp_path):
    allowed = run_of(
        prompt_of([BOTH] * 10),
        gate=Gate(max_collapse=0.2),
        judge_warnings=(UNFIT,),
        settings=RunSettings(allow_unfit_judge=True),
    )
    suite = parsed(allowed, tmp_path)
    assert suite.find("properties/property[@name='allow_unfit_judge']").get("value") == "true"
    assert suite.find("system-out") is not None
    assert passing(suite) == ["tower-mug", "gate"]


def test_what_xml_cannot_hold_is_left_out(prompt_of, run_of, tmp_path):
    hostile = 'a "tower" <&> \x00\x08\x1f\ufffe\ud800 and a mug 🗼'
    suite = parsed(run_of(prompt_of([BOTH], text=hostile), model="a\x0bb"), tmp_path)
    case = suite.find("testcase")
    assert case.get("name") == 'tower-mug: a "tower" <&>  and a mug 🗼' and case.get("classname") == "ab"


def test_a_path_that_cannot_be_written(prompt_of, run_of, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        write_junit(run_of(prompt_of([BOTH])), tmp_path / "file" / "junit.xml")
