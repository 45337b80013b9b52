"""The report in a real browser: nothing requested, nothing overflows, everything readable."""

import importlib.util
import shutil
from functools import partial
from pathlib import Path

import pytest
from page_checks import CONTRASTS

from dominance.records import Gate
from dominance.report.audit.page import write_report
from dominance.report.parts.page_stream import environment

_CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.skipif(_CHROMIUM is None, reason="no chromium on the PATH; install it: apt-get install chromium"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright; install it: make .venv/.dev"
    ),
]


@pytest.fixture(scope="module")
def report(drawn_run, audit_plan, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run = drawn_run(audit_plan, folder, Gate(max_collapse=0.2, max_unscored=0.3))
    (folder / "images" / "book-lamp" / "410.png").unlink()
    return write_report(run, folder)


@pytest.fixture
def open_page(open_file, report):
    """A function that opens the report."""
    return partial(open_file, report)


_SETTINGS = """{% extends "parts/layout.html.j2" %}{% from "parts/macros.html.j2" import tree %}
{% block main %}<main id="main"><section>{{ tree(value) }}</section></main>{% endblock %}"""


@pytest.mark.parametrize("width", [360, 768, 1000, 1200])
def test_settings_within_settings_do_not_scroll_sideways(open_file, tmp_path, width):
    value = {"by_the_way_that_it_was_drawn": 0.8333333333333334}
    for name in ("scheduler", "versions", "the_model", "calibration_of_the_risk"):
        value = {name: value, "prediction_type": "epsilon"}
    page = tmp_path / "settings.html"
    page.write_text(environment().from_string(_SETTINGS).render(value=value), encoding="utf-8")
    assert open_file(page, width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_the_page_does_not_scroll_sideways(open_page, width):
    page = open_page(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_page, scheme):
    page = open_page(scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert page.evaluate(CONTRASTS) == []


def test_all_images_decode(open_page):
    page = open_page()
    page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
    page.evaluate("Promise.all(Array.from(document.images).map((image) => image.decode()))")
    widths = page.evaluate("Array.from(document.images).map((image) => image.naturalWidth)")
    assert widths == [64] * 88
    assert page.locator(".pic.none").count() == 12
    assert page.locator("img.px").first.evaluate("(image) => getComputedStyle(image).imageRendering") == "pixelated"


@pytest.mark.parametrize("verdict", ["collapsed", "balanced", "lost", "unscored"])
def test_filters_hide_and_show(open_page, verdict):
    page = open_page()
    page.check(f"#filter input[value={verdict}]", force=True)
    shown = page.locator(".im").evaluate_all(
        "(images) => images.filter((image) => image.getClientRects().length > 0).map((image) => image.dataset.v)"
    )
    assert shown and set(shown) == {verdict}
    assert page.locator("#shown").inner_text() == f"{len(shown)} of 100 images shown"
    empty = [s for s in page.locator(".prompt:visible").all() if s.locator(f".im[data-v={verdict}]").count() == 0]
    assert empty == []
    page.check("#filter input[value=all]", force=True)
    assert page.locator(".prompt:visible").count() == 10 and page.locator("#shown").inner_text() == ""


def test_the_images_that_hang_on_doubtful_answers_can_be_shown_alone(open_file, drawn_run, audit_plan, tmp_path):
    first, second = audit_plan[0][0], audit_plan[1][0]
    plan = [(first, ("unsure", "both", "unsure", "first")), (second, ("both",) * 3)]
    page = open_file(write_report(drawn_run(plan, tmp_path), tmp_path))
    page.check("#filter input[value=doubtful]", force=True)
    assert page.locator(".im:visible").count() == page.locator(".im[data-doubtful]:visible").count() == 2
    assert page.locator("#shown").inner_text() == "2 of 7 images shown"
    assert page.locator(".prompt:visible").count() == 1
    page.check("#filter input[value=all]", force=True)
    assert page.locator(".im:visible").count() == 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_said_of_doubtful_answers_has_contrast(open_file, drawn_run, audit_plan, tmp_path, scheme):
    path = write_report(drawn_run([(audit_plan[0][0], ("unsure",) * 2)], tmp_path), tmp_path)
    page = open_file(path, width=360, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CONTRASTS) == []


def test_a_link_to_a_hidden_prompt_shows_it_again(open_page):
    page = open_page()
    page.check("#filter input[value=lost]", force=True)
    assert page.locator("#prompt-1").is_hidden()
    page.click("a[href='#prompt-1']")
    page.wait_for_function("!document.getElementById('prompt-1').hidden")
    assert page.locator("#filter input[value=all]").is_checked()


def test_the_keyboard_reaches_everything(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.focus("#filter input[value=all]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.getElementById('main').dataset.show") == "collapsed"
    outline = page.evaluate("getComputedStyle(document.activeElement.nextElementSibling).outlineStyle")
    assert outline == "solid"


def test_complete_without_javascript(open_page):
    page = open_page(javascript=False)
    assert page.locator("#filter").is_hidden()
    assert page.locator(".im").count() == 100 and page.locator(".prompt:visible").count() == 10
    assert (
        page.locator("h1")
        .inner_text()
        .startswith("3 of 8 scored prompts lose a concept (3 of 5 in group “entity–object”): at worst, ")
    )


def test_printing_shows_all_and_hides_the_controls(open_page):
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("#filter").is_hidden() and page.locator("nav").is_hidden()
    assert page.locator(".im:visible").count() == 100
