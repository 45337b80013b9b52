"""The folder of an explanation: a page that asks for nothing, whole files, and nobody else's overwritten."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_explanations import attention, explanation
from pages import Page
from PIL import Image

from dominance.errors import RunError
from dominance.records import Concept, Prompt
from dominance.report.explanation import folder as written
from dominance.report.explanation.folder import Subject, check_explanation_folder, subject_of, write_explanation
from dominance.report.explanation.maps import heat_uri

TEXT = "a tower and a mug"


@pytest.fixture
def page_of(tmp_path):
    def build(one):
        path = write_explanation(one, tmp_path / "out")
        assert path == tmp_path / "out" / "explanation.html"
        assert [p.name for p in path.parent.rglob("*partial*")] == []
        return Page(path.read_text(encoding="utf-8"))

    return build


LEADS = attention(token_1={8: 0.4, 9: 0.4, 10: 0.4})


def test_the_answer_comes_first_and_every_figure_says_what_is_seen_and_what_it_is(page_of) -> None:
    page = page_of(explanation(LEADS))
    order = [
        "“a tower and a mug” loses a concept: tower takes over from mug in 2 of 2 images.",
        "The first step already shows it: at the first step tower gets 10 times the attention of mug",
        "“a tower and a mug”: ",
        "stand out: ",
        "Averaged over the layers, “tower” gets the most attention",
        "is the strongest word in 13 of 16 layers",
        "focus ends about where it starts",
        "In layers 8 to 10, tower stays at about 40% of the attention; in layer 7, mug stays at about 4.0%",
        "No interval stands out for tower",
        "At the last step, tower and mug ",
        "Attention shows where the model looks, not why.",
    ]
    assert [part for part in order if part not in page.text] == []
    places = [page.text.index(part) for part in order]
    assert places == sorted(places)
    figures = [a["id"] for a in page.classed("fig")]
    assert figures == ["focus", "words", "peaks", "focus-time", "course", "changes"]
    assert page.text.count("What is this?") == len(figures) + 1
    assert len(page.classed("see")) == len(figures) + 2


def test_every_plot_is_named_in_words_and_ids_are_unique(page_of) -> None:
    page = page_of(explanation(LEADS))
    plots = [a for a in page.all("svg") if a.get("role") == "img"]
    assert len(plots) == 6  # two panels of courses
    assert all(len(a["aria-label"]) > 40 for a in plots)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in (attributes.get("aria-labelledby") or attributes.get("for") or "").split():
            assert name in ids


def test_nothing_is_requested(page_of) -> None:
    page = page_of(explanation(LEADS))
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:")
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            if value is not None and (tag, value) != ("a", "https://arxiv.org/abs/2512.20666"):
                assert value.startswith(("data:", "#")), (tag, value[:80])


def test_every_image_and_step_has_its_maps_even_without_script(page_of) -> None:
    page = page_of(explanation(LEADS))
    states = page.classed("state")
    assert [(a["data-image"], a["data-step"]) for a in states] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    assert all("hidden" not in a for a in states)
    assert "hidden" in next(a for a in page.all("form") if a["id"] == "choose")
    heats = page.classed("heat")
    assert len(heats) == 8
    strengths = [float(a["style"].removeprefix("--r: ")) for a in heats]
    assert [max(strengths[at : at + 2]) for at in range(0, 8, 2)] == [1.0] * 4
    assert {a["aria-label"] for a in page.classed("map")} >= {
        "Where seed 0 attends to tower at the first step",
        "The image itself, seed 1",
    }


def test_a_map_is_black_where_nothing_is_and_lightest_at_its_highest() -> None:
    values = torch.zeros(8, 4)
    values[6, 1] = 0.02
    uri = heat_uri(values)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L")
    assert picture.size == (48, 96)
    pixels = np.asarray(picture)
    assert pixels[0, 0] == 0
    row, column = divmod(int(pixels.argmax()), pixels.shape[1])
    assert (row // 12, column // 12) == (6, 1)
    assert heat_uri(torch.zeros(8, 4)) == heat_uri(torch.zeros(8, 4) + 0.0)


def test_without_a_judge_nothing_is_called_unscored(page_of) -> None:
    page = page_of(explanation(LEADS, judge=None))
    assert "not judged" in page.text
    assert len(page.classed("im")) == 2
    assert "DvD" not in page.text.partition("How to read this")[0]
    assert page.text.partition("How to read this")[0].count("unscored") == 0


def test_an_image_that_could_not_be_made_is_shown_as_missing(page_of) -> None:
    page = page_of(explanation(LEADS, ({"tower": 5, "mug": 0}, "out of memory")))
    assert "out of memory" in page.text
    assert "the image was not made" in page.text
    assert len(page.classed("heat")) == 8


@pytest.mark.parametrize("steps", [1, 2, 50])
@pytest.mark.parametrize("count", [1, 57])
def test_few_and_many_layers_and_steps(page_of, steps: int, count: int) -> None:
    page = page_of(explanation(attention(steps=steps, layers=count, token_1=0.3), count=count))
    figures = [a["id"] for a in page.classed("fig")]
    assert ("changes" in figures) == (steps > 1)
    assert "paper's rule" not in page.text


def test_one_concept_and_hostile_texts(page_of) -> None:
    name = "<script>alert(1)</script> & {{ 7*7 }}"
    prompt = Prompt("x", f"a {name} </style>", (Concept(name),))
    one = explanation(
        attention(tokens=3),
        ({name: 5}, {name: 5}),
        prompt=prompt,
        tokens=("a", name, "</style><img src=x onerror=alert(1)>"),
        places={name: (1,)},
    )
    page = page_of(one)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert all("onerror" not in a for _, a in page.elements)
    assert "49" not in page.text.partition("How to read this")[0]


def test_the_files_are_written_and_an_earlier_explanation_of_the_prompt_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    write_explanation(explanation(LEADS), folder)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == ["explanation.html", "explanation.json", "images/0.png", "images/1.png"]
    assert Image.open(folder / "images" / "1.png").getpixel((0, 0)) == (200, 120, 20)
    write_explanation(explanation(LEADS, judge=None), folder)
    assert json.loads((folder / "explanation.json").read_text())["judge"] is None


def test_what_others_wrote_is_never_overwritten(tmp_path: Path) -> None:
    ours = subject_of(explanation(LEADS))

    def refused(folder: Path, found: str, subject: Subject = ours, files=("images/0.png",)) -> None:
        with pytest.raises(RunError, match=found):
            check_explanation_folder(folder, subject, files)

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    refused(tmp_path / "thesis", "is not empty and holds no explanation")
    (tmp_path / "thesis" / "explanation.json").write_text('{"kind": "of my own"}')
    refused(tmp_path / "thesis", "is not empty and holds no explanation")
    refused(tmp_path / "thesis" / "chapter.tex", "is a file")
    refused(tmp_path / "thesis" / "chapter.tex" / "below", "is not writable")
    refused(tmp_path / ("x" * 5000), "cannot be used")
    write_explanation(explanation(LEADS), tmp_path / "ours")
    for other, found in (
        ({"prompt": replace(ours.prompt, text="a lamp")}, "holds an explanation of 'a tower and a mug'"),
        ({"prompt": replace(ours.prompt, concepts=ours.prompt.concepts[:1])}, "explanation of the concepts tower, mug"),
        ({"model": "other"}, "an explanation of the model"),
        ({"judge": "other", "judge_identity": "sha256:other"}, "an explanation with .*, not the judge 'other'"),
    ):
        refused(tmp_path / "ours", found, replace(ours, **other))
    (tmp_path / "ours" / "images" / "7.png").write_text("mine")
    refused(tmp_path / "ours", "7.png does not belong to the explanation in that folder", files=("images/7.png",))
    with pytest.raises(RunError, match="is not empty"):
        write_explanation(explanation(LEADS), tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    for usable in (tmp_path / "empty", tmp_path / "new" / "folder", tmp_path / "ours"):
        check_explanation_folder(usable, ours, ("images/0.png",))
    assert not (tmp_path / "new").exists()


def test_a_page_that_cannot_be_made_leaves_no_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    write_explanation(explanation(LEADS), tmp_path / "out")
    before = (tmp_path / "out" / "explanation.html").read_bytes()
    monkeypatch.setattr(written, "build_explanation_page", broken)
    with pytest.raises(ZeroDivisionError):
        write_explanation(explanation(LEADS), tmp_path / "out")
    assert (tmp_path / "out" / "explanation.html").read_bytes() == before
    assert [path.name for path in (tmp_path / "out").rglob("*partial*")] == []
