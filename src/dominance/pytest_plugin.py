"""The pytest plugin: the fixtures ``dominance_audit`` and ``dominance_score`` hold images to a gate.

pytest loads this module wherever the package is installed, so it imports nothing before a test uses a fixture.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.judges.protocol import Judge
    from dominance.records import RunResult, Suite
    from dominance.runs.audit.options import AuditOptions, Limits, ScoreOptions

_FIXTURES = {"dominance_audit", "dominance_score"}
_INI = "dominance_runs"
_LONGEST = 80


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares where the run folders go."""
    parser.addini(_INI, "Folder of the runs of dominance_audit and dominance_score.", default="runs/pytest")


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of the tests that draw or judge images."""
    config.addinivalue_line("markers", "dominance: draws or judges images, by dominance_audit or dominance_score")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that use one of the fixtures, before ``-m`` chooses."""
    for item in items:
        if not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("dominance")


@pytest.fixture
def dominance_audit(request: pytest.FixtureRequest) -> "Callable[..., RunResult]":
    """``dominance.audit`` in a run folder of the test; the test fails if the gate does, or if there is none.

    The folder stays, so that the next run of the test draws only what has changed.
    """

    def run(
        suite: "str | Suite",
        model: "str | DiffusionPipeline" = "miniature",
        judge: "str | Judge" = "miniature",
        *,
        options: "AuditOptions | None" = None,
        check: bool = True,
    ) -> "RunResult":
        from dominance.models.source import find_source
        from dominance.runs.audit.options import AuditOptions
        from dominance.runs.audit.run import audit

        options = options or AuditOptions()
        if check:
            _check_gate(suite, options.concepts, options.limits)
        folder = _folder(request, suite, find_source(model, options.drawing).identity, judge)
        return _held(request, audit(suite, model, judge, folder, options), check=check)

    return run


@pytest.fixture
def dominance_score(request: pytest.FixtureRequest) -> "Callable[..., RunResult]":
    """``dominance.score`` in a run folder of the test; the test fails if the gate does, or if there is none."""

    def run(
        images: Path | str,
        suite: "str | Suite",
        judge: "str | Judge" = "miniature",
        *,
        options: "ScoreOptions | None" = None,
        check: bool = True,
    ) -> "RunResult":
        from dominance.runs.audit.options import ScoreOptions
        from dominance.runs.audit.score import score

        options = options or ScoreOptions()
        if check:
            _check_gate(suite, options.concepts, options.limits)
        folder = _folder(request, suite, str(images), judge)
        return _held(request, score(images, suite, judge, folder, options), check=check)

    return run


def _check_gate(suite: "str | Suite", concepts: str | None, limits: "Limits") -> None:
    """Fails the test where nothing could."""
    from dominance.suites import find_suite

    if limits.baseline is None and limits.over(find_suite(suite, concepts).gate) is None:
        pytest.fail(
            "this audit has no gate, so the test could not fail: give the suite one, such as"
            " gate: {max_collapse: 0.2, min_presence: 0.9}, or Limits in the options; check=False asks for none",
            pytrace=False,
        )


def _folder(request: pytest.FixtureRequest, suite: "str | Suite", drawn_by: str, judge: "str | Judge") -> Path:
    """The run folder: one for each test, suite, model and judge, so that no run stands in the way of another."""
    node = request.node.nodeid
    name = re.sub(r"[^\w.]+", "-", node)[-_LONGEST:].strip("-")
    names = [given if isinstance(given, str) else given.name for given in (suite, judge)]
    told = "\n".join([node, drawn_by, *names])
    digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:8]
    return request.config.rootpath / str(request.config.getini(_INI)) / f"{name}-{digest}"


def _held(request: pytest.FixtureRequest, result: "RunResult", *, check: bool) -> "RunResult":
    """The result, with its report; fails the test with every reason if the gate fails."""
    from dominance.report.audit.headline import headline
    from dominance.report.audit.page import write_report

    page = write_report(result, Path(result.run))
    said = headline(result)
    request.node.user_properties.append((f"dominance {result.suite}", said))
    request.node.add_report_section("call", "dominance", f"{said}\n{page}")
    gate = result.gate
    if check and (gate is None or not gate.passed):
        reasons = [] if gate is None else [*gate.run_failures, *gate.failures.values()]
        head = f"gate failed for {result.suite} by {result.model}: {said}"
        pytest.fail("\n".join([head, *(f"  {reason}" for reason in reasons), f"see {page}"]), pytrace=False)
    return result
