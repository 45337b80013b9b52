"""The explanation in a real browser: nothing requested, nothing overflows, the slider moves through the maps."""

import importlib.util
import shutil
from functools import partial
from pathlib import Path

import pytest
from made_explanations import attention, explanation
from page_checks import CONTRASTS

from dominance.report.explanation.folder import write_explanation

pytestmark = [
    pytest.mark.skipif(
        shutil.which("chromium") is None, reason="no chromium on the PATH; install it: apt-get install chromium"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright; install it: make .venv/.dev"
    ),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    seen = attention(steps=25, token_1={8: 0.4, 9: 0.4, 10: 0.4})
    return write_explanation(explanation(seen), tmp_path_factory.mktemp("explanation") / "out")


@pytest.fixture
def open_page(open_file, written):
    """A function that opens the page."""
    return partial(open_file, written)


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_does_not_scroll_sideways(open_page, width):
    page = open_page(width)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = """() => Array.from(document.querySelectorAll("svg.chart text")).filter((text) => {
      const box = text.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth; }).length"""
    assert page.evaluate(beyond) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_page, scheme):
    page = open_page(scheme=scheme)
    assert page.evaluate(CONTRASTS) == []


def test_bars_lines_and_cells_are_drawn(open_page):
    page = open_page()
    heights = page.locator("#focus .col").evaluate_all(
        "(bars) => bars.map((bar) => bar.getBoundingClientRect().height)"
    )
    assert len(heights) == 16
    assert heights.index(max(heights)) in (7, 8, 9)
    assert page.locator("#words .cells svg rect").count() == 5 * 16
    assert page.locator("#focus-time .cells svg rect").count() == 25 * 16
    box = page.locator("#course polyline.own.c1").bounding_box()
    assert box["width"] > 400


def test_slider_image_and_strength(open_page):
    page = open_page()
    shown = page.locator(".state:visible")
    assert (shown.get_attribute("data-image"), shown.get_attribute("data-step")) == ("0", "1")
    assert page.locator("#step-name").inner_text() == "the last step"
    page.focus("#step")
    page.keyboard.press("ArrowLeft")
    assert (shown.get_attribute("data-image"), shown.get_attribute("data-step")) == ("0", "0")
    assert page.locator("#step").get_attribute("aria-valuetext") == "the first step"
    page.select_option("#image", "1")
    assert (shown.get_attribute("data-image"), shown.get_attribute("data-step")) == ("1", "0")
    opacities = "(heats) => heats.map((heat) => Number(getComputedStyle(heat).opacity))"
    dimmed = shown.locator(".heat").evaluate_all(opacities)
    assert max(dimmed) == 1 and min(dimmed) < 1
    page.check("#own")
    assert shown.locator(".heat").evaluate_all(opacities) == [1, 1]
    page.evaluate("Promise.all(Array.from(document.images).map((image) => image.decode()))")


def test_complete_without_javascript(open_page):
    page = open_page(javascript=False)
    assert page.locator("#choose").is_hidden()
    assert page.locator(".state:visible").count() == 4
    assert page.locator("h1").inner_text().startswith("“a tower and a mug” loses a concept")


def test_printing_hides_the_controls(open_page):
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("#choose").is_hidden() and page.locator("nav").is_hidden()
