"""Which files of a folder are scored."""

from pathlib import Path

from dominance.pictures import IMAGE_ENDINGS
from dominance.runs.audit.score import find_images
from dominance.suites import load_suite


def test_images_are_found_by_every_ending_that_image_files_have(tmp_path: Path) -> None:
    suite = load_suite("a [tower:landmark] and a [mug]")
    for ending in (*IMAGE_ENDINGS, "-2.PNG", ".txt", ""):
        (tmp_path / f"image{ending}").write_bytes(ending.encode())
    found = {image.name for image in find_images(tmp_path, suite)}
    assert found == {f"image{ending}" for ending in (*IMAGE_ENDINGS, "-2.PNG")}
