"""What a training set shows beside its distances, in sentences, and where its subject stands, as a drawing."""

from collections.abc import Iterator

from markupsafe import Markup

from dominance.diversity.captions import CaptionFindings, WordCount
from dominance.diversity.layout import LayoutFindings, PoseFindings
from dominance.numbers import plural
from dominance.runs.diversity.result import ConceptDiversity

_NAMED = 5
_NO_POSES = "Poses are not measured: that needs masks (NAME_mask.png) or transparency."


def set_sentences(concept: ConceptDiversity) -> tuple[str, ...]:
    """What is known of captions, of the subject's place, size and poses, and of the backdrop, and what is not known."""
    return tuple(_sentences(concept))


def _sentences(concept: ConceptDiversity) -> Iterator[str]:
    if concept.captions is not None:
        yield from _of_captions(concept.captions)
    if (mirrored := concept.near_duplicates.mirrored).pairs:
        one, other = mirrored.files[0]
        yield f"{plural(mirrored.images, 'picture')} have a mirrored copy in the set, such as {one} and {other}."
    if concept.layout is not None:
        small, middle, large = concept.layout.size
        yield (
            f"By {concept.layout.by} of {plural(concept.layout.n, 'picture')}, the subject's centre lies"
            f" {concept.layout.place:.0%} of the side from its usual place in the median, and it takes"
            f" {small:.0%} to {large:.0%} of the side, {middle:.0%} in the median. {_of_poses(concept.poses)}"
        )
    elif concept.images > 1:
        yield (
            "Where the subject stands, and in what poses, is not known: put masks beside the pictures (NAME_mask.png),"
            " or, for place and size alone, a bbox in metadata.jsonl."
        )
    if concept.backdrop is not None:
        yield (
            f"By the {concept.backdrop.by}, a backdrop's mean colour lies {concept.backdrop.spread:.2f} from the usual"
            f" one in the median (0 the same, 1 black against white; n = {concept.backdrop.n})."
        )


def _of_poses(found: PoseFindings | None) -> str:
    if found is None:
        return _NO_POSES
    return (
        f"Without place and size, two silhouettes differ by {found.spread:.2f} on average (0 all in one pose, 1 nothing"
        f" in common; n = {found.n})."
    )


def _of_captions(found: CaptionFindings) -> Iterator[str]:
    if not found.captioned:
        yield "No picture has a caption."
        return
    different = (
        "all different"
        if found.distinct == found.captioned
        else "all the same"
        if found.distinct == 1
        else f"{found.distinct} different ones"
    )
    yield f"{plural(found.captioned, 'caption')} for {plural(found.images, 'picture')}, {different}."
    if found.without_token:
        yield f"{found.without_token} of them do not name {found.token}."
    if found.everywhere:
        yield f"In every caption: {_words(found.everywhere)}."
    if found.bound:
        yield f"Nearly always beside {found.token or 'the concept'}: {_words(found.bound)}."
    if found.distinct > 1:
        yield f"{found.saying} of {found.captioned} captions say something that the others do not all say."


def _words(words: tuple[WordCount, ...]) -> str:
    named = ", ".join(f"“{word.word}” ({word.count} of {word.n})" for word in words[:_NAMED])
    return f"{named} and {len(words) - _NAMED} more" if len(words) > _NAMED else named


def layout_drawing(found: LayoutFindings | None) -> Markup | None:
    """The subject's rectangles in one square, faint, so that what repeats is dark; None where none is known."""
    if found is None:
        return None
    shade = max(0.03, min(0.5, 2 / found.n))
    boxes = "".join(
        f'<rect x="{100 * left:.1f}" y="{100 * top:.1f}" width="{100 * (right - left):.1f}"'
        f' height="{100 * (bottom - top):.1f}" fill="currentColor" fill-opacity="{shade:.3f}" stroke="currentColor"'
        f' stroke-opacity="{2 * shade:.3f}"/>'
        for left, top, right, bottom in found.boxes
    )
    said = f"The subject's rectangle in {plural(found.n, 'picture')}"
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="layout" viewBox="0 0 100 100" width="160" height="160" role="img" aria-label="{said}">'
        f'<rect width="100" height="100" fill="none" stroke="currentColor"/>{boxes}</svg>'
    )
