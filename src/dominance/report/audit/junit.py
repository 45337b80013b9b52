"""A run as a JUnit file, so that a build server shows each prompt as a test."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dominance.files import write_whole
from dominance.images.left_out import left_out_lines, left_out_sentence
from dominance.numbers import fraction, score
from dominance.records import GateResult, PromptResult, RunResult
from dominance.report.audit.baseline import baseline_sentences
from dominance.report.parts.sentences import prompt_sentence
from dominance.runs.stages.directions import directions

_MOST_LEFT_OUT = 100
"""Entries of what was not used that are named."""
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def write_junit(result: RunResult, path: Path) -> Path:
    """Writes one test suite with a test case for each prompt, and one for the gate, if any.

    A prompt that fails the gate fails, and one without a scored image is an error. The last case, ``gate``, fails with
    every reason whenever the gate fails. If it fails for the whole run, no prompt passes: one that fails nothing itself
    is an error, because nobody vouches for it. Without a gate nothing fails. Each case has its numbers as properties;
    what makes the judge unfit is among the suite's properties and in its output, as are the images that were not used;
    the output also names what the model does not know of the prompts. What the baseline lacked too is a property.

    Raises:
        RunError: the file cannot be written.
    """
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", name=_legal(result.suite))
    numbers = {"run": result.run, "model": result.model, "judge": result.judge, "images": result.images}
    warnings = {f"judge warning: {warning.kind}": warning.says for warning in result.judge_warnings}
    allowed = {"allow_unfit_judge": "true"} if result.settings.allow_unfit_judge else {}
    left_out = {"not used": said} if (said := left_out_sentence(result.left_out)) else {}
    counts = {"scored": result.scored, "unscored": result.unscored}
    _properties(suite, {**numbers, **counts, **warnings, **allowed, **left_out})
    for prompt in result.prompts:
        _prompt_case(suite, result, prompt)
    if result.gate is not None:
        _gate_case(suite, result.model, result.gate)
    told = [*(f"warning: {says}" for says in warnings.values()), *left_out_lines(result.left_out, _MOST_LEFT_OUT)]
    told += [f"baseline: {sentence}" for sentence in baseline_sentences(result.baseline)]
    told += [f"note: prompt {id}: {what}" for id, what in result.unread.items()]
    if told:
        SubElement(suite, "system-out").text = _legal("\n".join(told))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(list(suite.iter(tag)))))
    indent(root)
    return write_whole(path, tostring(root, encoding="utf-8", xml_declaration=True), b"\n")


def _prompt_case(suite: Element, result: RunResult, prompt: PromptResult) -> None:
    name = _legal(f"{prompt.prompt.id}: {prompt.prompt.text}")
    case = SubElement(suite, "testcase", classname=_legal(result.model), name=name)
    known = None if result.gate is None else result.gate.known.get(prompt.prompt.id)
    _properties(case, {**_numbers(prompt), **({} if known is None else {"known": known})})
    said = _legal(prompt_sentence(prompt))
    failure = result.gate.failures.get(prompt.prompt.id) if result.gate else None
    of_run = result.gate.run_failures if result.gate else ()
    if prompt.scored == 0:
        SubElement(case, "error", message=said, type="unscored").text = said
    elif failure is not None:
        SubElement(case, "failure", message=_legal(failure), type="gate").text = said
    elif of_run:
        message = f"the gate fails for the whole run: {'; and '.join(of_run)}"
        SubElement(case, "error", message=_legal(message), type="gate").text = said


def _gate_case(suite: Element, model: str, gate: GateResult) -> None:
    case = SubElement(suite, "testcase", classname=_legal(model), name="gate")
    if not gate.passed:
        reasons = "\n".join([*gate.run_failures, *gate.failures.values()])
        SubElement(case, "failure", message=_legal(gate.reason), type="gate").text = _legal(reasons)


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
    if prompt.hanging is not None:
        numbers["hanging"] = sum(prompt.hanging.values())
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
