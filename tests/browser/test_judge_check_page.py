"""The page of a judge's check in a real browser: nothing requested, nothing overflows, everything readable."""

import importlib.util
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from page_checks import CONTRASTS

from dominance.judges.protocol import ScriptedJudge
from dominance.report.judge_check.page import write_judge_check
from dominance.runs.judge_check.run import JudgeCheckOptions, check_judge

pytestmark = [
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="no chromium on the PATH; install it: apt-get install chromium"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright; install it: make .venv/.dev"
    ),
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    def unsteady(image, question):
        return float(np.clip(np.asarray(image).std() / 90 - 0.07 * question.grade + 0.1, 0, 1))

    folder = tmp_path_factory.mktemp("check") / "run"
    judges = (ScriptedJudge(unsteady, "first", "1"), ScriptedJudge(lambda i, q: 1 - unsteady(i, q), "second", "2"))
    result = check_judge(judges[0], against=judges[1], out=folder, options=JudgeCheckOptions(each=6, limit=12))
    assert result.agreement is not None and result.agreement.disagreements
    return write_judge_check(result, folder)[0]


@pytest.fixture
def open_page(open_file, page_file):
    """A function that opens the page."""
    return partial(open_file, page_file)


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_page_does_not_scroll_sideways(open_page, width):
    page = open_page(width)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_page, scheme):
    assert open_page(scheme=scheme).evaluate(CONTRASTS) == []


def test_all_pictures_decode_and_links_lead_somewhere(open_page):
    page = open_page()
    page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
    page.evaluate("Promise.all(Array.from(document.images).map((image) => image.decode()))")
    widths = page.evaluate("Array.from(document.images).map((image) => image.naturalWidth)")
    assert len(widths) > 12 and set(widths) == {64}
    missing = (
        "Array.from(document.querySelectorAll('a[href^=\"#\"]')).filter((a) => !document.querySelector(a.hash)).length"
    )
    assert page.evaluate(missing) == 0


def test_the_plot_says_its_numbers_and_stays_in_its_frame(open_page):
    page = open_page()
    plot = page.locator("svg.reliability").first
    assert "should be yes" in plot.locator("desc").text_content()
    frame = plot.bounding_box()
    for dot in plot.locator("circle.dot").all():
        box = dot.bounding_box()
        assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] + 8
