"""The page, read back by the standard library's parser."""

import base64
import dataclasses
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from pages import Page
from PIL import Image

from dominance.errors import RunError
from dominance.records import Gate, JudgeWarning
from dominance.report.audit.page import write_report
from dominance.run_settings import RunSettings
from dominance.runs.stages.scoring import score_image, score_prompt

LOST_MUG, BOTH, NEITHER, OUT = (5, 0), (5, 5), (0, 0), "out of memory"


def save_images(run, folder, size=(64, 64)):
    rng = np.random.default_rng(0)
    for prompt in run.prompts:
        for image in prompt.images:
            if image.file is not None:
                path = folder / image.file
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.linspace(0, 255, size[1] * size[0] * 3).reshape(size[1], size[0], 3) + rng.integers(0, 3)
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def page_of(tmp_path):
    def build(run, images=True):
        if images:
            save_images(run, tmp_path)
        path = write_report(run, tmp_path)
        assert path == tmp_path / "report.html"
        assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []
        return Page(path.read_text(encoding="utf-8"))

    return build


@pytest.fixture
def audit(prompt_of, run_of):
    return run_of(
        prompt_of([BOTH] * 9 + [LOST_MUG], ("book", "lamp"), "object–object"),
        prompt_of([LOST_MUG] * 8 + [BOTH, OUT], group="entity–object"),
        prompt_of([LOST_MUG] * 10, ("robot", "lamp"), "entity–object"),
        gate=Gate(max_collapse=0.2, max_unscored=0.5),
    )


def test_the_answer_comes_first(page_of, audit):
    page = page_of(audit)
    said = "2 of 3 prompts lose a concept (2 of 2 in group “entity–object”): at worst, robot takes over from lamp in"
    assert said in page.text
    assert page.text.index(said) < page.text.index("Gate failed: 2 of 3 prompts fail")
    assert page.text.index("Gate failed") < page.text.index("1 of 30 images is unscored")
    assert page.text.index("1 of 30 images is unscored") < page.text.index("Prompts, worst first")


def test_prompts_are_linked_worst_first(page_of, audit):
    page = page_of(audit)
    links = [a["href"] for a in page.all("a") if a["href"].startswith("#prompt-")]
    ids = [a["id"] for a in page.all("section") if a.get("class") == "prompt"]
    assert links == [f"#{name}" for name in ids] == ["#prompt-1", "#prompt-2", "#prompt-3"]
    assert "tower takes over from mug in 8 of 9 scored images; 1 unscored" in page.text
    assert len(page.classed("won")) == len(page.classed("gone")) == 4


def test_the_prompt_says_who_won_and_who_is_gone(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([LOST_MUG] * 10, text="a mug with a tower")))
    assert [a["class"] for a in page.classed("c")] == ["c gone", "c won"] * 2
    page = page_of(run_of(prompt_of([BOTH] * 10, text="two mugs with a tower")))
    assert [a["class"] for a in page.classed("c")] == ["c", "c"] * 2


def test_it_is_a_page_with_landmarks_and_one_main_heading(page_of, audit):
    page = page_of(audit)
    assert page.all("html") == [{"lang": "en"}]
    assert (
        page.all("meta", name="viewport") and len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
    )
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids


def test_nothing_is_requested(page_of, audit):
    page = page_of(audit)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'")
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            if value is None or (tag, value) == ("a", "https://arxiv.org/abs/2512.20666"):
                continue
            assert value.startswith(("data:", "#")), (tag, value[:80])


def test_every_image_is_described(page_of, audit):
    page = page_of(audit)
    images = page.all("img")
    assert len(images) == 29
    alts = {image["alt"] for image in images}
    assert "“a tower and a mug”, seed 1: collapsed, tower dominates mug, DvD 100" in alts
    assert "“a tower and a mug”, seed 9: balanced, DvD 0" in alts
    assert all(image["loading"] == "lazy" and image["decoding"] == "async" for image in images)
    assert [a["data-v"] for a in page.classed("im")].count("unscored") == 1


def test_doubtful_answers_are_marked_and_what_hangs_on_them_is_said(page_of, prompt_of, run_of):
    """The third image has a doubtful answer on which nothing hangs, the fourth a concept on which no verdict does."""
    pair = prompt_of([(5, (3, 2, 3)), (5, (1, 1, 3)), (5, (5, 4, 5)), BOTH])
    page = page_of(run_of(pair, prompt_of([(5, 0, (2, 2, 3))], ("book", "lamp", "chair"))))
    assert "2 of 5 images hang on doubtful answers: 1 balanced and 1 collapsed." in page.text
    assert "tower takes over from mug in 1; 2 hang on doubtful answers" in page.text
    assert ["data-doubtful" in a for a in page.classed("im")].count(True) == 2
    assert page.text.count("hangs on doubtful answers: may be ") == 2
    assert "hangs on doubtful answers: may be collapsed" in page.text
    assert "hangs on doubtful answers: may be balanced" in page.text
    assert "mug doubtful" in page.text and "chair doubtful" in page.text and "tower doubtful" not in page.text
    assert sorted(a["class"] for a in page.classed("d")) == ["d"] + ["n d"] * 2 + ["y d"] * 2
    spoken = [a["aria-label"] for a in page.classed("m")]
    assert spoken.count("3 of 5 yes, 1 doubtful") == 1 and spoken.count("1 of 5 yes, 2 doubtful") == 1
    (box,) = page.all("input", name="show", value="doubtful")
    assert "disabled" not in box
    alts = [image["alt"] for image in page.all("img")]
    assert any(alt.endswith("balanced, DvD 40, hangs on doubtful answers, may be collapsed") for alt in alts)


def test_without_doubtful_answers_there_is_nothing_to_filter(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([BOTH])))
    assert "disabled" in page.all("input", name="show", value="doubtful")[0]
    assert "images hang on doubtful answers" not in page.text


def test_a_judge_without_probabilities_has_no_doubtful_answers(page_of, prompt_of, run_of):
    result = prompt_of([BOTH, (5, (3, 2, 3))])
    images = [
        score_image(result.prompt, i.name, i.file, [dataclasses.replace(a, p_yes=None) for a in i.answers])
        for i in result.images
    ]
    run = run_of(score_prompt(result.prompt, images))
    assert run.hanging is None
    page = page_of(run)
    assert page.all("input", name="show", value="doubtful") == []
    assert [a["class"] for a in page.classed("d")] == ["d"]


def test_hostile_texts_stay_texts(page_of, prompt_of, run_of):
    hostile = "<script>alert(1)</script> \"tower' & {{ 7*7 }} mug </style>"
    prompt = prompt_of([LOST_MUG] * 10, text=hostile, group='"><img src=x onerror=alert(1)>')
    run = run_of(
        prompt,
        suite="</title><b>",
        model="<i>m</i>",
        settings=RunSettings(more={"<u>key</u>": "</script><script>alert(2)</script>"}),
    )
    page = page_of(run)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not page.all("b", onerror="alert(1)") and all("onerror" not in a for _, a in page.elements)
    assert "<script>alert(1)</script> \"tower' & {{ 7*7 }} mug </style>" in page.text
    assert all(hostile in image["alt"] for image in page.all("img"))
    assert page.all("svg", **{"class": "strips"})


def test_an_odd_file_name_does_not_break_the_page(page_of, prompt_of, run_of):
    prompt = prompt_of([BOTH])
    image = dataclasses.replace(prompt.images[0], name="broken\udcff.png")
    page = page_of(run_of(dataclasses.replace(prompt, images=(image,))))
    assert "broken?.png" in page.text


def test_missing_and_broken_images_say_so(page_of, prompt_of, run_of, tmp_path):
    run = run_of(prompt_of([BOTH, LOST_MUG, BOTH, OUT]))
    save_images(run, tmp_path)
    files = [image.file for image in run.prompts[0].images]
    (tmp_path / files[0]).unlink()
    (tmp_path / files[1]).write_bytes((tmp_path / files[1]).read_bytes()[:60])
    page = page_of(run, images=False)
    assert len(page.all("img")) == 1
    placeholders = [a["aria-label"] for a in page.classed("none")]
    assert placeholders == [
        "“a tower and a mug”, seed 1: balanced, DvD 0; the file is missing",
        "“a tower and a mug”, seed 2: collapsed, tower dominates mug, DvD 100; the file is not a readable image",
        "“a tower and a mug”, seed 4: unscored, out of memory; the image was not made",
    ]


def test_images_made_elsewhere_are_named_by_file(page_of, prompt_of, run_of, tmp_path):
    prompt = prompt_of([LOST_MUG])
    file = tmp_path / "elsewhere" / "0001.png"
    file.parent.mkdir()
    Image.new("RGB", (8, 8)).save(file)
    image = dataclasses.replace(prompt.images[0], name="1", file=str(file), seed=None)
    page = page_of(run_of(dataclasses.replace(prompt, images=(image,))), images=False)
    assert page.all("img")[0]["alt"] == "“a tower and a mug”, 1: collapsed, tower dominates mug, DvD 100"


def test_small_pngs_are_kept_and_large_images_become_thumbnails(page_of, prompt_of, run_of, tmp_path):
    run = run_of(prompt_of([BOTH, BOTH]))
    small, large = (tmp_path / image.file for image in run.prompts[0].images)
    small.parent.mkdir(parents=True)
    Image.new("RGB", (64, 64), "teal").save(small)
    noise = np.random.default_rng(0).integers(0, 255, (300, 600, 3), dtype=np.uint8)
    Image.fromarray(noise).save(large)
    first, second = page_of(run, images=False).all("img")
    assert first["src"] == "data:image/png;base64," + base64.b64encode(small.read_bytes()).decode()
    assert first["class"] == "px" and (first["width"], first["height"]) == ("128", "128")
    kind, _, content = second["src"].partition(";base64,")
    assert kind in {"data:image/webp", "data:image/jpeg"} and "class" not in second
    with Image.open(io.BytesIO(base64.b64decode(content))) as thumbnail:
        assert thumbnail.size == (320, 160)


def test_nothing_scored_is_said_and_not_counted_as_no(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([OUT] * 3)))
    assert "Nothing could be scored: 0 of 3 images" in page.text
    assert "nothing scored" in page.text and "0 of 3 images scored: out of memory" in page.text
    assert not page.classed("strips") and not page.classed("range") and not re.search(r"\d to \d", page.text)


def test_one_concept_has_presence_and_no_score(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([(5,)] * 9 + [(1,)], ("tower",))))
    assert "“a tower” misses its concept in 1 of 10 images." in page.text
    assert "9 of 10 (60 to 98%)" in page.text and "one concept" in page.text
    assert not page.classed("strips")


def test_three_concepts_show_every_pair(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([(5, 0, 2)] * 10, ("tower", "mug", "lamp"))))
    assert "tower takes over from mug in 10 of 10 images" in page.text
    for pair in ("tower over mug: DvD 100", "tower over lamp: DvD 60", "lamp over mug: DvD 40"):
        assert pair in page.text
    assert all(f"{concept} present" in page.text for concept in ("tower", "mug", "lamp"))


@pytest.mark.parametrize(
    ("gate", "said", "kind"),
    [
        (None, "No gate was set", None),
        (Gate(max_collapse=1.0), "Gate passed: 1 of 1 prompts pass", "passed"),
        (Gate(max_collapse=0.2), "Gate failed: 1 of 1 prompts fail", "failed"),
    ],
)
def test_gate_states(page_of, prompt_of, run_of, gate, said, kind):
    page = page_of(run_of(prompt_of([LOST_MUG] * 10), gate=gate))
    assert said in page.text
    assert [a["class"] for a in page.classed("gate")] == ([f"gate {kind}"] if kind else [])
    assert ("fails the gate" in page.text) == (kind == "failed")


def test_every_reason_of_a_failed_gate_is_listed(page_of, audit, prompt_of, run_of):
    page = page_of(audit)
    assert "All 2 reasons" in page.text
    for failure in audit.gate.failures.values():
        assert failure in page.text
    assert "reasons" not in page_of(run_of(prompt_of([LOST_MUG] * 10), gate=Gate(max_collapse=0.2))).text


UNFIT = JudgeWarning("another world", "the judge was made for others")


def test_an_unfit_judge_is_said_above_the_headline(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([BOTH] * 10), judge_warnings=(UNFIT,)))
    assert len(page.classed("warning")) == 1
    said = (
        "Do not trust the verdicts on this page. The judge was made for others; give a judge that looks at any picture"
    )
    assert page.text.index(said) < page.text.index("Every concept survives")
    assert not page_of(run_of(prompt_of([BOTH] * 10))).classed("warning")
    seeming = dataclasses.replace(UNFIT, kind="always yes", unfit=False)
    seemed = page_of(run_of(prompt_of([BOTH] * 10), judge_warnings=(seeming,)))
    assert not seemed.classed("warning")
    assert "The judge was made for others; find out more" in seemed.text


def test_groups_have_the_same_numbers_in_words(page_of, audit):
    page = page_of(audit)
    group = audit.groups[1]
    low, high = group.dvd_interval
    assert f"{group.dvd_mean:.1f} ({low:.1f} to {high:.1f})" in page.text
    assert f"entity–object: 2 prompts, 19 scored images, mean DvD {group.dvd_mean:.1f} (" in page.text
    assert len(page.classed("dot")) == 3


def test_a_run_of_one_prompt_plots_its_images(page_of, prompt_of, run_of):
    page = page_of(run_of(prompt_of([LOST_MUG] * 3 + [OUT])))
    assert len(page.classed("dot")) == 3 and "each image" in page.text
    assert "100.0 no interval: one prompt" in page.text


def test_long_tables_are_folded_and_complete(page_of, prompt_of, run_of):
    run = run_of(*(prompt_of([BOTH], (f"thing{n}", "mug")) for n in range(30)))
    page = page_of(run)
    assert "The other 6 prompts" in page.text and page.classed("rest")
    assert len([a for a in page.all("a") if a["href"].startswith("#prompt-")]) == 30


def test_the_manifest_is_readable(page_of, prompt_of, run_of):
    manifest = {
        "versions": {"torch": "2.13.0"},
        "files": [{"file": "a.bin"}],
        "revision": None,
        "resumed": False,
        "empty": [],
    }
    text = "".join(page_of(run_of(prompt_of([BOTH]), manifest=manifest)).text.split())
    for said in ("torch2.13.0", "filea.bin", "revisionnotset", "resumedno", "emptynone", "seeds1,2"):
        assert said in text


def test_the_settings_shown_are_the_runs_own_whatever_the_manifest_of_an_earlier_one_says(page_of, prompt_of, run_of):
    manifest = {"settings": {"steps": 999}, "versions": {"torch": "2.13.0"}}
    text = "".join(page_of(run_of(prompt_of([BOTH]), manifest=manifest)).text.split())
    assert "steps25" in text and "999" not in text and "torch2.13.0" in text


def test_the_reading_guide_states_the_definitions(page_of, prompt_of, run_of):
    text = page_of(run_of(prompt_of([BOTH]))).text
    for said in (
        "C1 · (N − C2) / N² · 100",
        "36 or more",
        "at least 7 of 10",
        "Wilson",
        "10 000 resamples",
        "arXiv 2512.20666",
    ):
        assert said in text


def test_240_images_stay_below_3_mb(prompt_of, run_of, tmp_path):
    run = run_of(*(prompt_of([LOST_MUG] * 10, (f"thing{n}", "mug")) for n in range(24)))
    rng = np.random.default_rng(0)
    for prompt in run.prompts:
        for image in prompt.images:
            (tmp_path / image.file).parent.mkdir(parents=True, exist_ok=True)
            smooth = np.linspace(40, 200, 64)[:, None, None] + rng.normal(0, 1.5, (64, 64, 3))
            Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(tmp_path / image.file)
    assert write_report(run, tmp_path).stat().st_size < 3_000_000


def test_a_failed_write_leaves_the_old_page(prompt_of, run_of, tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")
    run = run_of(prompt_of([BOTH]))

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(RunError, match="No space left"):
        write_report(run, tmp_path)
    assert (tmp_path / "report.html").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_importing_the_report_loads_no_torch():
    code = "import sys, dominance.report.audit.page; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
