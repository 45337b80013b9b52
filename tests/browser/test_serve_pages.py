"""The service's pages in a browser: with and without a script, by keyboard, on a phone, in the dark."""

import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from made_runs import make_run, png
from page_checks import CONTRASTS

import dominance
from dominance.judges.protocol import ScriptedJudge
from dominance.report.parts.page_stream import environment
from dominance.serve.app import make_app
from dominance.serve.labelling import RunLabels
from dominance.serve.options import ServeOptions

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROMPT = "a [castle:landmark], and a [chair]"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "runs"
    make_run(folder, "castles")
    make_run(folder, "castles-swapped", model="miniature-swapped")
    return folder


@pytest.fixture(scope="module")
def url(root: Path, tiny_model: Path, tiny_judge: Path) -> Iterator[str]:
    """A service on loopback, with a model and a judge of random weights."""
    options = ServeOptions(folder=root, model=(str(tiny_model),), judge=(f"blip:{tiny_judge}",))
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(options), log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    bound.close()


@pytest.fixture
def visit(browser, url: str) -> Iterator[Callable[..., "Page"]]:
    """Opens a page of the service; in the end, none may have had an error or asked anyone else for anything."""
    contexts, troubles = [], []

    def build(
        path: str, width: int = 1200, scheme: str = "light", javascript: bool = True, missing: bool = False
    ) -> "Page":
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=javascript
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("console", lambda message: missing or troubles.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "request",
            lambda asked: asked.url.startswith((url, "data:")) or troubles.append(f"request: {asked.url[:99]}"),
        )
        page.goto(url + path)
        return page

    yield build
    for context in contexts:
        context.close()
    assert troubles == []


def test_words_that_are_clicked_become_concepts(visit) -> None:
    page = visit("/")
    page.get_by_label("Prompt, its concepts in brackets").fill("a neuschwanstein castle, and a red chair")
    for word in ("neuschwanstein", "castle", "chair"):
        page.get_by_role("button", name=word, exact=True).click()
    page.get_by_label("neuschwanstein castle is a").select_option("landmark")
    area = page.get_by_label("Prompt, its concepts in brackets")
    assert area.input_value() == "a [neuschwanstein castle:landmark], and a red [chair]"
    pressed = page.locator(".chips [aria-pressed=true]").all_inner_texts()
    assert pressed == ["neuschwanstein", "castle", "chair"]
    page.get_by_role("button", name="castle", exact=True).press("Space")
    assert area.input_value() == "a [neuschwanstein:landmark] castle, and a red [chair]"
    area.fill("a [tower:landmark] and a \\[real\\] [mug]")
    assert page.locator(".chips [aria-pressed=true]").all_inner_texts() == ["tower", "mug"]
    page.get_by_role("button", name="mug", exact=True).click()
    assert area.input_value() == "a [tower:landmark] and a \\[real\\] mug"


def test_options_that_a_command_lacks_are_hidden(visit) -> None:
    page = visit("/")
    page.get_by_text("More options").click()
    assert page.get_by_label("Max collapse").is_visible()
    page.get_by_role("radio", name=re.compile("Explain")).check(force=True)
    assert not page.get_by_label("Max collapse").is_visible()
    assert page.get_by_label("Maps steps").is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_from_a_prompt_to_its_report(visit, javascript: bool) -> None:
    page = visit("/", javascript=javascript)
    page.get_by_label("Prompt, its concepts in brackets").fill(PROMPT)
    page.get_by_label("Seeds").fill("2")
    page.get_by_label("Steps", exact=True).fill("2")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/jobs/*")
    found = page.get_by_role("link", name="See what was found")
    if javascript:  # the page changes by itself, and stays the same page
        page.evaluate("window.same = true")
        found.wait_for(timeout=300_000)
        assert page.evaluate("window.same")
        assert page.get_by_role("status").inner_text() == "Audit: done"
        assert not page.get_by_role("link", name="Refresh").is_visible()
    else:
        end = time.monotonic() + 300
        while not found.is_visible():
            assert time.monotonic() < end
            page.get_by_role("link", name="Refresh").click()
    found.click()
    assert page.get_by_role("heading", level=1).inner_text() == "a castle, and a chair"
    assert page.locator(".im").count() == 2
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_url("**/report.html")
    page.get_by_role("heading", level=1).wait_for()
    assert "castle" in page.title()
    if javascript:  # the report's own script is let through
        page.locator("#filter").wait_for()


@pytest.mark.slow
def test_images_are_uploaded_and_scored(visit) -> None:
    page = visit("/upload")
    page.get_by_label("The prompt that they were made for").fill(PROMPT)
    files = [{"name": f"<{n}>.png", "mimeType": "image/png", "buffer": png(seed=n)} for n in range(2)]
    svg = {"name": "x.png", "mimeType": "image/png", "buffer": b"<svg onload='alert(1)'/>"}
    page.get_by_label("Images").set_input_files([*files, svg])
    # A refusal is an answer of status 422, which the console tells; so it is looked at through its form alone.
    sent = page.request.post(
        page.url,
        multipart={
            "form_key": page.locator("[name=form_key]").first.input_value(), "prompts": PROMPT, "images": svg,
        },
        headers={"accept": "text/html", "origin": page.url.removesuffix("/upload")},
    )  # fmt: skip
    assert sent.status == 422
    assert "no whole PNG, JPEG or WebP" in sent.text()
    page.get_by_label("Images").set_input_files(files)
    page.get_by_role("button", name="Score").click()
    page.wait_for_url("**/jobs/*")
    page.get_by_role("link", name="See what was found").click(timeout=300_000)
    assert page.locator(".im .name").all_inner_texts() == ["0001-0.png", "0002-1.png"]  # what is plain in their names
    assert page.locator(".im img").count() == 2
    for image in page.locator(".im img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64


def test_labels_by_keyboard(visit, root: Path) -> None:
    page = visit("/runs/castles/label")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    for done in range(4):
        page.get_by_text(f"{done} of 4 labelled by Ada").wait_for()
        page.keyboard.press("1")
        page.keyboard.press("3")
        assert page.get_by_role("group", name="chair").get_by_role("radio", name="absent").is_checked()
        page.keyboard.press("Enter")
    page.get_by_role("heading", name="All 4 images are labelled").wait_for()
    rows = (root / "castles" / "labels.csv").read_text().splitlines()
    assert rows[0] == "prompt_id,image,concept,present,labeller,seen"
    assert (
        sum(",castle,yes,Ada,plain" in row for row in rows) == sum(",chair,no,Ada,absent" in row for row in rows) == 4
    )
    page.get_by_role("link", name="See how far readers and judge agree").click()
    assert "Ada and the judge" in page.locator("tbody").inner_text()


def test_labels_without_a_script(visit, root: Path) -> None:
    page = visit("/runs/castles-swapped/label?reader=Bob", javascript=False)
    page.get_by_role("group", name="castle").get_by_role("radio", name="doubtful").check(force=True)
    page.get_by_role("group", name="chair").get_by_role("radio", name="plain").check(force=True)
    page.get_by_role("button", name="Save, next").click()
    page.get_by_text("1 of 4 labelled by Bob").wait_for()
    assert ",castle,unsure,Bob,doubtful" in (root / "castles-swapped" / "labels.csv").read_text()


def test_runs_are_filtered(visit) -> None:
    page = visit("/runs")
    page.get_by_label("Words").fill("swapped")
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("1 run", exact=True).wait_for()
    assert page.locator(".cards li").count() == 1
    assert "miniature-swapped" in page.locator(".cards").inner_text()
    page.get_by_role("link", name="a castle and a chair").click()
    page.get_by_label("Compare with").wait_for()


PATHS = (
    "/", "/upload", "/jobs", "/runs", "/runs/castles", "/runs/castles/delete", "/runs/castles/label",
    "/runs/castles/label?reader=Eve", "/runs/castles-swapped/agreement", "/nothing", "JOB",
)  # fmt: skip


@pytest.fixture(scope="module")
def over(url: str, root: Path) -> str:
    """The page of a job that failed; and a few labels and an upload, so that pages have something to show."""
    post = partial(urllib.request.urlopen, timeout=60)
    kind = {"Content-Type": "application/json"}
    begun = urllib.request.Request(f"{url}/api/uploads", b"{}", kind)
    upload = json.loads(post(begun).read())["upload"]
    named = {"Content-Type": "image/png", "Dominance-Name": "a castle by the sea.png"}
    post(urllib.request.Request(f"{url}/api/uploads/{upload}", png(), named))
    body = json.dumps({"prompts": [PROMPT], "height": 7}).encode()
    job = json.loads(post(urllib.request.Request(f"{url}/api/audit", body, kind)).read())
    for reader in ("Ada", "Ben"):
        RunLabels(root / "castles-swapped").save(reader, 0, {"castle": "plain", "chair": "doubtful"})
    end = time.monotonic() + 300
    while json.loads(post(f"{url}/api/jobs/{job['id']}").read())["state"] in ("queued", "running"):
        assert time.monotonic() < end
        time.sleep(0.2)
    return f"/jobs/{job['id']}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_pages_fit_a_phone_and_can_be_read(visit, over: str, path: str, scheme: str) -> None:
    page = visit(over if path == "JOB" else path, width=360, scheme=scheme, missing=path == "/nothing")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("h1").count() == 1
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")
    assert page.evaluate(CONTRASTS) == []
    faint = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(e => e.textContent.trim() && !e.closest("svg")
          && e.offsetParent && getComputedStyle(e).opacity < 1 && getComputedStyle(e).opacity > 0)
          .map(e => e.outerHTML)"""
    )
    assert faint == []  # what the ratio above does not see
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a, img, progress")]
        .filter(e => !(e.labels && e.labels.length) && !e.getAttribute("aria-label")
          && !e.getAttribute("aria-labelledby") && !(e.textContent || "").trim()
          && !e.getAttribute("alt")).map(e => e.outerHTML)"""
    )
    assert unnamed == []
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button, main .go, main .act, main select, main .choice label")]
        .filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).map(e => e.outerHTML)"""
    )
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_chosen_hovered_or_only_hinted_at_can_be_read(visit, scheme: str) -> None:
    page = visit("/", scheme=scheme)
    page.get_by_label("Prompt, its concepts in brackets").fill("a castle and a chair")
    page.get_by_role("button", name="castle", exact=True).click()
    assert page.evaluate(CONTRASTS) == []
    hint = """() => getComputedStyle(document.querySelector("textarea"), "::placeholder").opacity"""
    assert page.evaluate(hint) == "1"
    page = visit("/runs/castles/label?reader=Fay", scheme=scheme)
    page.keyboard.press("1")
    assert page.evaluate(CONTRASTS) == []


def test_two_runs_are_laid_beside_each_other(visit, judged: tuple[str, str]) -> None:
    page = visit(f"/runs/{judged[0]}")
    page.get_by_label("Compare with").select_option(judged[1])
    page.get_by_role("button", name="Lay beside").click()
    page.wait_for_url("**/jobs/*")
    assert page.get_by_role("heading", level=1).inner_text() == f"{judged[0]} beside {judged[1]}"
    page.get_by_role("link", name="See what was found").click(timeout=300_000)
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_url("**/report.html")
    assert "tower takes over from mug in 2 of 2 images" in page.locator("body").inner_text()
    assert page.locator(".top .cell img").count() == 4


@pytest.fixture
def judged(root: Path, tiny_model: Path, tmp_path: Path) -> tuple[str, str]:
    """Two audits of one prompt by one judge: in one the tower takes over, in the other both are there."""
    names = ("tower", "mug")
    suite = dominance.Suite("pair", (dominance.Prompt("p", "a tower and a mug", tuple(map(dominance.Concept, names))),))
    for name, present, guidance in (("loses", ("tower",), 2.0), ("keeps", names, 1.0)):
        judge = ScriptedJudge(lambda _, question, seen=present: float(question.concept in seen), identity="scripted")
        drawing = dominance.Drawing(seeds=(0, 1), steps=1, guidance=guidance)
        options = dominance.AuditOptions(drawing=drawing, machine=dominance.Machine("cpu"))
        dominance.audit(suite, str(tiny_model), judge, root / name, options)
    return "loses", "keeps"


def test_a_run_is_deleted_from_its_page(visit, root: Path) -> None:
    make_run(root, "superfluous")
    page = visit("/runs/superfluous")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("heading", name="Delete the run “a castle and a chair”?").wait_for()
    page.get_by_role("link", name="Keep").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Runs", exact=True).wait_for()
    assert not (root / "superfluous").exists()


def test_a_list_of_jobs_changes_in_place_and_says_so(visit, url: str) -> None:
    body = json.dumps({"prompts": ["a [mug]"], "seeds": 1, "steps": 150}).encode()
    kind = {"Content-Type": "application/json"}
    for _ in range(2):
        asked = urllib.request.Request(f"{url}/api/audit", body, kind)
        job = json.loads(urllib.request.urlopen(asked, timeout=60).read())["id"]
    page = visit("/jobs")
    page.evaluate("window.same = true")
    page.locator(f'a[href="/jobs/{job}"]').focus()
    before = page.get_by_role("status").inner_text()
    stop = urllib.request.Request(f"{url}/api/jobs/{job}/stop", b"{}", kind)
    urllib.request.urlopen(stop, timeout=60).read()
    page.locator(f'li:has(a[href="/jobs/{job}"]) .st-stopped').wait_for(timeout=60_000)
    assert page.get_by_role("status").inner_text() != before
    assert page.evaluate("window.same")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/jobs/{job}"


def test_every_page_of_the_service_is_a_template_that_escapes() -> None:
    assert environment("dominance.serve").autoescape is True
    templates = Path(__file__).parents[2] / "src" / "dominance" / "serve" / "templates"
    for file in templates.glob("*.j2"):
        unescaped = re.findall(r"\{\{[^}]*\| *safe[^}]*\}\}", file.read_text())
        assert all(re.search(r"'[^'{]*' *\| *safe", found) for found in unescaped), file.name
