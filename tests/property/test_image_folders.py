"""However a folder of images is laid out, no image is lost without a word."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dominance.errors import InputError
from dominance.images.assignment import assign_images
from dominance.images.captions import captioned_images
from dominance.pictures import IMAGE_ENDINGS, OTHER_ENDINGS
from dominance.records import Concept, LeftOut, Prompt, Suite
from dominance.runs.diversity.source import read_collection

PROMPTS = {"w": "a wizard beside a lamp", "castle-1": "a castle, with a chair", "0": "a mug", "1": "a mug 2"}
SUITE = Suite("s", tuple(Prompt(id, text, (Concept("x"),)) for id, text in PROMPTS.items()))

folders = st.sampled_from([
    *PROMPTS, *PROMPTS.values(), "samples", "castle", ".cache", "__MACOSX", "x", "2", "a_castle_with_a_chair_0"
])  # fmt: skip
stems = st.sampled_from([
    "0", "1", "00000-1", "grid", "grid-0000", ".hidden", "w_0", "a mug_000000", "a_mug_2", "IMG 1", "ComfyUI_00001_"
])  # fmt: skip
endings = st.sampled_from([*sorted(IMAGE_ENDINGS), *sorted(OTHER_ENDINGS)[:3], ".PNG", ".txt"])
paths = st.builds(
    lambda above, stem, ending: Path(*above, f"{stem}{ending}"), st.lists(folders, max_size=3), stems, endings
)
contents = st.tuples(
    st.sampled_from(["png", "broken", "link out", "link in", "link nowhere"]),
    st.sampled_from([None, *PROMPTS.values(), "something else"]),
    st.sampled_from([(8, 8), (16, 16), (8, 16)]),
)
layouts = st.dictionaries(paths, contents, min_size=1, max_size=8)
metadata = st.dictionaries(folders | st.just("."), st.sampled_from([*PROMPTS.values(), "something else"]), max_size=2)


def write(root: Path, layout: dict, about: dict[str, str]) -> set[Path]:
    """Writes the folder; gives the files that were written with an image's ending."""
    away = root.parent / "away.png"
    Image.new("RGB", (8, 8)).save(away)
    written = []
    for path, (kind, text, size) in layout.items():
        file = root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if kind.startswith("link"):
            target = {"out": away, "nowhere": root / "nothing.png", "in": written[0] if written else away}
            file.symlink_to(target[kind.removeprefix("link ")])
        elif kind == "broken":
            file.write_bytes(b"no image")
        else:
            info = PngInfo()
            if text is not None:
                info.add_text("parameters", text)
            Image.new("RGB", size).save(file, format="PNG", pnginfo=info)
        written.append(file)
    for folder, text in about.items():
        if (root / folder).is_dir():
            (root / folder / "metadata.jsonl").write_text(json.dumps({"prompt": text}))
    return {file.relative_to(root) for file in written if file.suffix.lower() in IMAGE_ENDINGS | OTHER_ENDINGS}


def is_named(path: Path, left_out: tuple[LeftOut, ...]) -> bool:
    """Whether an entry names the file, or a folder that it lies in."""
    named = {Path(entry.file) for entry in left_out}
    return bool(named & {path, *path.parents})


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(layouts, metadata)
def test_every_image_is_used_or_named_or_the_command_refuses(layout: dict, about: dict[str, str]) -> None:
    with TemporaryDirectory() as place:
        root = Path(place) / "images"
        root.mkdir()
        images = write(root, layout, about)
        try:
            found = assign_images(root, SUITE)
        except InputError as refused:
            assert "\n" not in str(refused)
            return
        used = [one.image.path for one in found.images]
        assert len(used) == len(set(used))
        assert {path for path in images if path not in used and not is_named(path, found.left_out)} == set()
        assert not any(is_named(path, found.left_out) for path in used)
        assert sum(entry.images for entry in found.left_out) + len(used) >= len(
            [path for path in images if path.suffix.lower() in IMAGE_ENDINGS]
        )
        names = [(one.prompt.id, one.name) for one in found.images]
        assert len(names) == len(set(names))


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(layouts)
def test_no_image_is_lost_to_diversity_or_to_training(layout: dict) -> None:
    with TemporaryDirectory() as place:
        root = Path(place) / "images"
        root.mkdir()
        images = write(root, layout, {})
        readings = []
        for read in (read_collection, captioned_images):
            try:
                found = read(root)
            except InputError as refused:
                assert "\n" not in str(refused)
                continue
            used = (
                {file for one in found.sets for file in one.files}
                if hasattr(found, "sets")
                else {one.image.path for one in found.images}
            )
            readings.append(used)
            assert {path for path in images if path not in used and not is_named(path, found.left_out)} == set()
