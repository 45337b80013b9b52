"""A run as a JUnit file, so that a build server shows each prompt as a test."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dominance.files import write_whole
from dominance.numbers import fraction, score
from dominance.records import PromptResult, RunResult
from dominance.report.parts.ranking import directions
from dominance.report.parts.sentences import prompt_sentence

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def write_junit(result: RunResult, path: Path) -> Path:
    """Writes one test suite with a test case for each prompt, and one for the gate, if any.

    A prompt that fails the gate fails; one without a scored image is skipped unless it fails the gate. The last case,
    ``gate``, fails when the gate fails for a reason of the whole run, whether or not prompts fail too. Without a gate
    nothing fails. Each case has its numbers as properties.

    Raises:
        RunError: the file cannot be written.
    """
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name=_legal(result.suite))
    numbers = {"run": result.run, "model": result.model, "judge": result.judge, "images": result.images}
    _properties(suite, {**numbers, "scored": result.scored, "unscored": result.unscored})
    for prompt in result.prompts:
        _prompt_case(suite, result, prompt)
    if result.gate is not None:
        _gate_case(suite, result)
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(len(list(suite.iter(tag)))))
    suite.set("errors", "0")
    indent(root)
    return write_whole(path, tostring(root, encoding="utf-8", xml_declaration=True), b"\n")


def _prompt_case(suite: Element, result: RunResult, prompt: PromptResult) -> None:
    name = _legal(f"{prompt.prompt.id}: {prompt.prompt.text}")
    case = SubElement(suite, "testcase", classname=_legal(result.model), name=name)
    _properties(case, _numbers(prompt))
    failure = result.gate.failures.get(prompt.prompt.id) if result.gate else None
    said = _legal(prompt_sentence(prompt))
    if failure is not None:
        SubElement(case, "failure", message=_legal(failure), type="gate").text = said
    elif prompt.scored == 0:
        SubElement(case, "skipped", message=said)


def _gate_case(suite: Element, result: RunResult) -> None:
    case = SubElement(suite, "testcase", classname=_legal(result.model), name="gate")
    gate = result.gate
    if gate is None or gate.passed:
        return
    # The reason begins with what concerns the whole run, if anything does.
    if not gate.failures or not gate.reason.startswith(f"{len(gate.failures)} of {len(result.prompts)} prompts fail: "):
        SubElement(case, "failure", message=_legal(gate.reason), type="gate").text = _legal(gate.reason)


def _numbers(prompt: PromptResult) -> dict[str, object]:
    """A prompt's numbers; what was not measured has no property."""
    numbers: dict[str, object] = {
        "verdict": prompt.verdict or "unscored",
        "images": len(prompt.images),
        "scored": prompt.scored,
        "collapsed": prompt.collapsed,
        "balanced": prompt.balanced,
        "lost": prompt.lost,
        "mixed": prompt.mixed,
    }
    if prompt.prompt.group is not None:
        numbers["group"] = prompt.prompt.group
    if prompt.dvd_mean is not None:
        numbers["dvd_mean"] = score(prompt.dvd_mean)
    if prompt.dvd_interval is not None:
        numbers["dvd_interval"] = " ".join(score(end) for end in prompt.dvd_interval)
    for direction in directions(prompt)[:1]:
        numbers["dominating"], numbers["dominated"] = direction.dominating, direction.dominated
    numbers |= {f"presence {concept}": fraction(rate) for concept, rate in prompt.presence.items()}
    return numbers


def _properties(parent: Element, values: dict[str, object]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=_legal(name), value=_legal(str(value)))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
