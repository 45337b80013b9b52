"""No name from outside leads out of its folder, and no hostile image gets in."""

import base64
import csv
import hashlib
import io
import os
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import form_key_of, make_run, png
from PIL import Image, PngImagePlugin
from starlette.testclient import TestClient

from dominance.errors import InputError
from dominance.report.parts.page_stream import environment
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.serve import runs
from dominance.serve.places import file_in, folder_in
from dominance.serve.run_pages import report_policy
from dominance.serve.runs import shown_images
from dominance.serve.uploads import Most, Uploads, read_upload

ESCAPES = ["%2e%2e", "%2e%2e%2f", "..%2f..%2fetc", "%2fetc", ".serve", "a%00b", "..\\..", "~", "run%2f..%2f.."]
MOST = Most(megabytes=1, megapixels=1)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret.json").write_text('{"secret": 1}')
    return tmp_path / "secret.json"


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_cannot_leave_the_folder_of_runs(client: TestClient, secret: Path, name: str) -> None:
    for path in (f"/runs/{name}", f"/runs/{name}/files/secret.json", f"/api/runs/{name}", f"/runs/{name}/label"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code in (307, 404, 405), path
        assert "secret" not in answer.text.replace("secret.json", "")


@pytest.mark.parametrize(
    "path", ["../secret.json", "images/../../../secret.json", "/etc/passwd", "run.sqlite", "run.lock"]
)
def test_a_path_cannot_leave_the_run(client: TestClient, root: Path, secret: Path, path: str) -> None:
    make_run(root, "castles")
    answer = client.get(f"/runs/castles/files/{path.replace('..', '%2e%2e')}")
    assert answer.status_code == 404


def test_links_are_not_followed(client: TestClient, root: Path, secret: Path) -> None:
    run = make_run(root, "castles")
    (run / "link.json").symlink_to(secret)
    (run / "out").symlink_to(secret.parent)
    (root / "linked").symlink_to(secret.parent)
    os.mkfifo(run / "pipe.json")
    for path in ("castles/files/link.json", "castles/files/out/secret.json", "linked/files/secret.json"):
        assert client.get(f"/runs/{path}").status_code == 404, path
    assert client.get("/runs/castles/files/pipe.json").status_code == 404
    assert folder_in(root, "linked") is None
    assert file_in(run, "images/castle/0-item0.png") is not None
    assert "linked" not in client.get("/runs").text


def test_an_image_elsewhere_is_not_shown(client: TestClient, root: Path, secret: Path) -> None:
    run = make_run(root, "castles")
    with Ledger(run / "run.sqlite") as ledger:
        ledger.add_image(ImageRow("item0", "x", 0, str(secret), {}))
        ledger.add_image(ImageRow("item1", "x", 1, "../../secret.json", {}))
    assert client.get("/runs/castles/images/0").status_code == 404
    assert client.get("/runs/castles/images/1").status_code == 404
    assert client.get("/runs/castles/images/2").status_code == 200
    assert client.get("/runs/castles/images/-1").status_code == 404
    assert client.get("/runs/castles/images/99").status_code == 404


def test_a_report_runs_no_script_but_ours(client: TestClient, root: Path) -> None:
    make_run(root, "castles")
    answer = client.get("/runs/castles/files/report.html")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    script = next(part for part in policy.split(";") if "script-src" in part)
    assert "sha256-" in script
    assert "unsafe" not in script
    assert "'self'" not in script


@pytest.mark.parametrize("script", ["audit/page.js", "explanation/page.js"])
def test_the_scripts_that_ship_are_let_through_as_pages_hold_them(script: str) -> None:
    page = environment().from_string(f"{{% extends 'parts/layout.html.j2' %}}{{% set script = '{script}' %}}").render()
    held = page.split("<script>")[1].split("</script>")[0]
    assert base64.b64encode(hashlib.sha256(held.encode()).digest()).decode() in report_policy()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises that many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def texts_bomb() -> bytes:
    held, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("parameters", "x" * 30_000_000, zip=True)
    Image.new("RGB", (8, 8)).save(held, "PNG", pnginfo=info)
    return held.getvalue()


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG of one grey block, and scans that say nothing of it, in ten bytes each."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data

    one_code = bytes([1] + [0] * 15)
    head = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC2, bytes((8, 0, 8, 0, 8, 1, 1, 0x11, 0)))
    head += segment(0xC4, b"\x00" + one_code + b"\0") + segment(0xC4, b"\x10" + one_code + b"\0")
    first, more = bytes((1, 1, 0, 0, 0, 0)), bytes((1, 1, 0, 1, 63, 0))
    passes = segment(0xDA, first) + b"\x7f" + (segment(0xDA, more) + b"\x7f") * (scans - 1)
    return b"\xff\xd8" + head + passes + b"\xff\xd9"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = {
    "svg": SVG,
    "html": b"<!doctype html><script>alert(1)</script>",
    "empty": b"",
    "cut off": png()[:200],
    "a bomb": bomb(30_000, 30_000),
    "a long line": bomb(200_000, 1),
    "beyond the limit": bomb(2000, 2000),
    "texts that swell": texts_bomb(),
    "hours of scans": jpeg_of_scans(101),
    "endless markers": jpeg_of_scans(1)[:-2] + b"\xff\xfe\0\2" * 6000 + b"\xff\xd9",
    "gif": b"GIF89a" + b"\0" * 50,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "too many bytes": b"\x89PNG\r\n\x1a\n" + b"\0" * 1_100_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_images_are_refused(tmp_path: Path, content: bytes) -> None:
    uploads = Uploads(tmp_path, MOST, 10)
    name = uploads.new()
    with pytest.raises(InputError, match=r"send|convert"):
        uploads.add(name, content)
    assert list((tmp_path / name).iterdir()) == []


def test_only_pixels_are_kept(tmp_path: Path) -> None:
    held, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("parameters", "secret prompt")
    Image.new("RGBA", (8, 4), (255, 0, 0, 0)).save(held, "PNG", pnginfo=info)
    uploads = Uploads(tmp_path, MOST, 10)
    name = uploads.new()
    file = tmp_path / name / uploads.add(name, held.getvalue() + b"<script>alert(1)</script>")
    content = file.read_bytes()
    assert b"secret" not in content
    assert b"script" not in content
    with Image.open(file) as kept:
        assert (kept.size, kept.mode, kept.getpixel((0, 0))) == ((8, 4), "RGB", (255, 255, 255))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_ordinary_images_are_read(kind: str) -> None:
    held = io.BytesIO()
    Image.new("RGB", (32, 16), "green").save(held, kind)
    assert read_upload(held.getvalue(), MOST).size == (32, 16)


def test_progressive_images_and_what_cameras_hang_on_them_are_read() -> None:
    held = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(held, "JPEG", progressive=True)
    film = b"\xff\xda\0\2" * 500
    assert read_upload(held.getvalue() + film, MOST).size == (64, 64)
    assert read_upload(jpeg_of_scans(100), MOST).size == (8, 8)


def test_an_upload_that_is_full_or_unknown_takes_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, MOST, 1)
    name = uploads.new()
    uploads.add(name, png())
    with pytest.raises(InputError, match="holds 1 images"):
        uploads.add(name, png())
    for unknown in ("nothing", "../x", ""):
        with pytest.raises(InputError, match="no such upload"):
            uploads.add(unknown, png())


def test_an_image_is_read_under_the_warnings_of_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before, during, opened = list(warnings.filters), [], Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: during.append(list(warnings.filters)) or opened(*a, **k))
    read_upload(png(), MOST)
    assert during == [before, before]  # they are the process's: two threads that change them may never restore them


def test_a_form_says_which_file_is_wrong_and_keeps_none(serve: Callable[..., TestClient], root: Path) -> None:
    client = serve(most_megabytes=1)
    form = {"form_key": form_key_of(client), "prompts": "a [mug]"}
    for name, content, told in (("b<i>.png", b"<svg/>", "no whole PNG"), ("c.png", b"x" * 1_000_001, "1.0 MB")):
        files = [("images", ("a.png", png(), "image/png")), ("images", (name, content, "image/png"))]
        answer = client.post("/upload", data=form, files=files, headers={"accept": "text/html"})
        assert answer.status_code == 422
        assert told in answer.text
        assert "Uploads that are kept" not in answer.text
        assert name.replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert list((root / ".serve" / "uploads").iterdir()) == []


def test_uploaded_images_are_shown_where_the_folder_is_behind_a_link(
    serve: Callable[..., TestClient], root: Path
) -> None:
    behind = root.parent / "linked"
    behind.symlink_to(root)
    client, run = serve(folder=behind), make_run(root, "castles")
    name = client.post("/api/uploads", json={}).json()["upload"]
    file = client.post(f"/api/uploads/{name}", content=png(), headers={"content-type": "image/png"}).json()["file"]
    with Ledger(run / "run.sqlite") as ledger:  # score names what it reads with links followed
        ledger.add_image(ImageRow("item0", "x", 0, str((root / ".serve" / "uploads" / name / file).resolve()), {}))
    answer = client.get("/runs/castles/images/0")
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("private")
    mark = shown_images(run)[0].mark
    assert client.get(f"/runs/castles/images/0?of={mark}").status_code == 200
    assert client.get(f"/runs/castles/images/0?of={mark[:-1]}x").status_code == 404


def test_addresses_hold_no_word_of_a_prompt(client: TestClient, root: Path, form_key: str) -> None:
    make_run(root, "one")
    job = client.post("/api/audit", json={"prompts": ["a [secretplan] and a [mug]"], "seeds": 1}).json()
    assert "secretplan" not in job["run"]
    for page in ("/runs/one", "/runs/one/label?reader=Ada", "/runs", "/", "/upload"):
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', client.get(page).text):
            assert "castle" not in address
            assert "chair" not in address
    found = client.post("/runs", data={"form_key": form_key, "words": "castle chair", "kind": "audit"})
    assert "castle" not in str(found.url)
    assert "1 run<" in found.text
    assert 'value="castle chair"' in found.text
    assert "0 runs" in client.post("/runs", data={"form_key": form_key, "words": "nowhere"}).text
    assert '<form method="get" action="/"' not in client.get("/").text
    assert "wordsofmine" not in client.get("/?prompts=wordsofmine").text  # nothing takes a prompt from an address


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("castle (1).png", "0001-castle (1).png"),
        ("..\\..\\x\r\nSet-Cookie: a=b.png", "0001-x Set-Cookie a b.png"),
        ("=HYPERLINK(1).PNG", "0001-HYPERLINK(1).png"),
        ("\u202egnp.\u2066exe", "0001-gnp. exe.png"),
        ("\u65e5" * 200, f"0001-{chr(0x65E5) * 53}.png"),
    ],
)
def test_an_upload_keeps_what_is_harmless_of_its_name(tmp_path: Path, given: str, kept: str) -> None:
    uploads = Uploads(tmp_path, MOST, 10)
    assert uploads.add(uploads.new(), png(), given) == kept


def test_an_upload_without_a_name_has_one_all_the_same(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, MOST, 10)
    upload = uploads.new()
    names = [uploads.add(upload, png(), name) for name in ("", "../..", "a.png", "a.png")]
    assert [name[:5] for name in names] == ["0001-", "0002-", "0003-", "0004-"]
    assert names[2:] == ["0003-a.png", "0004-a.png"]
    assert file_in(tmp_path / upload, names[0]) is not None


def test_what_a_spreadsheet_would_run_is_text_in_every_table(client: TestClient, root: Path) -> None:
    run = make_run(root, "castles")
    cells = ["=1+1", "+1x", "-1x", "@x", "\tx", "\rx", "'=1", "-1.5", "+2e3", "a;=1", "a mug"]
    (run / "table.csv").write_text("".join(f'"{cell}"\n' for cell in ["name", *cells]), newline="")
    answer = client.get("/runs/castles/files/table.csv")
    rows = [row[0] for row in csv.reader(io.StringIO(answer.text, newline=""))]
    shown = ["'=1+1", "'+1x", "'-1x", "'@x", "'\tx", "'\rx", "'=1", "-1.5", "+2e3", "a;=1", "a mug"]
    assert rows == ["name", *shown]
    assert '"a;=1"' in answer.text  # in quotes, so that no separator parts it
    assert answer.headers["content-disposition"] == "attachment"
    (run / "broken.csv").write_bytes(b'"' + b"x" * 200_000)
    assert client.get("/runs/castles/files/broken.csv").status_code == 422


def test_a_run_is_read_again_only_when_it_changed(client: TestClient, root: Path, monkeypatch) -> None:
    run = make_run(root, "castles")
    read: list[str] = []
    ask = runs._read
    monkeypatch.setattr(runs, "_read", lambda folder, sql: read.append(sql) or ask(folder, sql))
    for _ in range(3):
        assert client.get("/runs").status_code == client.get("/runs/castles/images/1").status_code == 200
    once = len(read)
    assert once <= 3
    with Ledger(run / "run.sqlite") as ledger:
        ledger.forget_images(["item3"])
        assert client.get("/api/runs/castles").json()["images"] == 3  # also while its writer has it open
    assert client.get("/runs/castles/images/3").status_code == 404
    assert len(read) > once
