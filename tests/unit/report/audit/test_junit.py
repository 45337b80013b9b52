"""The JUnit file, read back by a parser that we did not write."""

from xml.etree import ElementTree

import pytest

from dominance.errors import RunError
from dominance.records import Gate
from dominance.report.audit.junit import write_junit

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


def test_without_a_gate_nothing_fails(run_with, tmp_path):
    suite = parsed(run_with(None), tmp_path)
    assert suite.attrib == {"name": "entity-object", "tests": "3", "failures": "0", "skipped": "1", "errors": "0"}
    first, second, third = suite.findall("testcase")
    assert first.attrib == {"classname": "miniature", "name": "tower-mug: a tower and a mug"}
    found = properties(first)
    assert found["dvd_mean"] == "100" and found["collapsed"] == "10" and found["scored"] == "10"
    assert found["dominating"] == "tower" and found["dominated"] == "mug"
    assert found["presence tower"] == "10/10" and found["presence mug"] == "0/10"
    assert properties(second)["verdict"] == "balanced"
    assert third.find("skipped").get("message") == "0 of 1 image scored: out of memory"
    assert "dvd_mean" not in properties(third)


def test_failures_of_the_gate_belong_to_their_prompts(run_with, tmp_path):
    suite = parsed(run_with(Gate(max_collapse=0.2, max_unscored=0.5)), tmp_path)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "2", "0")
    first, second, third, gate = suite.findall("testcase")
    assert "10 of 10 images collapse" in first.find("failure").get("message")
    assert first.find("failure").text == "tower takes over from mug in 10 of 10 images"
    assert second.find("failure") is None
    assert "none of its 1 images was scored" in third.find("failure").get("message") and third.find("skipped") is None
    assert gate.get("name") == "gate" and gate.find("failure") is None


def test_a_reason_that_is_no_single_prompts_fails_the_gate_case(prompt_of, run_of, tmp_path):
    suite = parsed(run_of(prompt_of([BOTH] * 9 + [OUT]), gate=Gate(max_collapse=0.2)), tmp_path)
    prompt, gate = suite.findall("testcase")
    assert prompt.find("failure") is None
    assert gate.find("failure").get("message") == "1 of 10 images are unscored (limit 0%)"


def test_an_unscored_image_hides_no_prompts_failure(run_with, tmp_path):
    suite = parsed(run_with(Gate(max_collapse=0.2)), tmp_path)
    first, second, third, gate = suite.findall("testcase")
    assert "10 of 10 images collapse" in first.find("failure").get("message")
    assert second.find("failure") is None
    assert "none of its 1 images was scored" in third.find("failure").get("message")
    assert gate.find("failure").get("message").startswith("1 of 21 images are unscored (limit 0%); and 2 of 3 ")
    assert suite.get("failures") == "3"


def test_a_gate_that_holds(prompt_of, run_of, tmp_path):
    suite = parsed(run_of(prompt_of([BOTH] * 10), gate=Gate(max_collapse=0.2)), tmp_path)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")


def test_what_xml_cannot_hold_is_left_out(prompt_of, run_of, tmp_path):
    hostile = 'a "tower" <&> \x00\x08\x1f\ufffe\ud800 and a mug 🗼'
    suite = parsed(run_of(prompt_of([BOTH], text=hostile), model="a\x0bb"), tmp_path)
    case = suite.find("testcase")
    assert case.get("name") == 'tower-mug: a "tower" <&>  and a mug 🗼' and case.get("classname") == "ab"


def test_a_path_that_cannot_be_written(prompt_of, run_of, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        write_junit(run_of(prompt_of([BOTH])), tmp_path / "file" / "junit.xml")
