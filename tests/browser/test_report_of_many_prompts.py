"""The report of more prompts than one screen takes: searched, shown page by page, its images beside it."""

import importlib.util
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dominance.report.audit.page import write_report

pytestmark = [
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the PATH; apt-get install chromium"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright; install it: make .venv/.dev"
    ),
]
PROMPTS = 210
SEEN = "Array.from(document.querySelectorAll('.prompt')).filter((part) => !part.hidden).length"


@pytest.fixture(scope="module")
def report(drawn_run, audit_plan, tmp_path_factory) -> Path:
    """Many prompts that share the images of a few."""
    folder = tmp_path_factory.mktemp("many")
    run = drawn_run(audit_plan, folder)
    prompts = []
    for place in range(PROMPTS):
        own = run.prompts[place % len(run.prompts)]
        prompt = replace(own.prompt, id=f"p{place:03d}", text=f"{own.prompt.text}, take {place:03d}")
        prompts.append(replace(own, prompt=prompt, images=own.images[:2]))
    return write_report(replace(run, prompts=tuple(prompts)), folder, "linked")


@pytest.fixture
def open_page(open_file, report):
    return partial(open_file, report, linked=True)


def test_prompts_are_shown_50_at_a_time(open_page):
    page = open_page()
    assert page.evaluate(SEEN) == 50
    assert "Prompts 1 to 50 of 210" in page.locator(".pager").first.text_content()
    page.locator(".pager").first.get_by_text("Next").click()
    assert "Prompts 51 to 100 of 210" in page.locator(".pager").first.text_content()
    assert page.locator("#prompt-51").is_visible()
    assert not page.locator("#prompt-50").is_visible()


def test_words_find_prompts_in_the_table_and_among_the_images(open_page):
    page = open_page()
    page.fill("#words", "take 123")
    assert page.locator("#found").text_content() == "1 of 210 prompts"
    assert page.evaluate(SEEN) == 1
    assert page.locator(".worst tbody tr:visible").count() == 1
    page.fill("#words", "no such words")
    assert page.locator("#found").text_content() == "0 of 210 prompts"
    page.fill("#words", "")
    assert page.evaluate(SEEN) == 50


def test_a_link_to_a_prompt_on_another_page_turns_to_it(open_page):
    page = open_page()
    page.fill("#words", "take 123")
    page.evaluate("location.hash = '#prompt-180'")
    page.wait_for_function("!document.getElementById('prompt-180').hidden")
    assert page.locator("#prompt-180").is_visible()
    assert page.input_value("#words") == ""


def test_without_script_everything_is_shown(open_page):
    page = open_page(javascript=False)
    assert page.locator(".prompt").count() == PROMPTS
    assert page.locator("#prompt-210").is_visible()
    assert not page.locator("#search").is_visible()
    assert "All 210 prompts follow" in page.locator("noscript").text_content()


def test_linked_images_are_read_from_the_folder_and_the_page_says_so(open_page, report):
    page = open_page()
    first = page.locator("#prompt-1 img").first
    first.scroll_into_view_if_needed()
    assert first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    assert first.get_attribute("src").startswith("images/")
    assert "shows the image files in the folder it lies in" in page.locator("footer").text_content()
    assert report.stat().st_size < 2_000_000
