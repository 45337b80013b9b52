"""What is learned from: the pictures with their captions, and what is to be said about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.english import noun_phrase
from dominance.errors import InputError, ItemError
from dominance.images.captions import CaptionedImage, captioned_images
from dominance.mentions import mention
from dominance.numbers import plural
from dominance.pictures import open_image
from dominance.records import LeftOut
from dominance.runs.stages.embedding import content_of
from dominance.runs.teaching.options import LEAST, TeachingOptions
from dominance.training.dreambooth.pictures import TrainingPicture
from dominance.wording import on_one_line, quoted


@dataclass(frozen=True)
class Pictures:
    """The pictures of a fine-tuning.

    Attributes:
        notes: what was done, a line each.
        warnings: what may spoil the fine-tuning, a line each.
    """

    pictures: tuple[TrainingPicture, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def captions(self) -> tuple[str, ...]:
        """The captions that are trained under, each once."""
        return tuple(dict.fromkeys(picture.caption for picture in self.pictures))


def instance_prompt(token: str, options: TeachingOptions) -> str:
    """The caption of a picture that has none; a token without a vowel, which is no word, has a plain “a” before it."""
    if options.instance_prompt:
        return options.instance_prompt
    named = f"{token} {options.concept_class}" if options.concept_class else token
    return noun_phrase(named).text if set(token.lower()) & set("aeiou") else f"a {named}"


def class_prompt(concept_class: str) -> str:
    """The caption of a prior picture that has none, and what a drawn one is drawn of."""
    return noun_phrase(concept_class).text


def concept_pictures(source: Path, token: str, options: TeachingOptions) -> Pictures:
    """The readable pictures of what is taught, each with its caption or the instance prompt.

    Raises:
        InputError: there is no such folder or list, it holds no readable image, or the instance prompt does not name
            the token.
    """
    prompt = instance_prompt(token, options)
    if mention(prompt, token) is None:
        raise InputError(
            f"the instance prompt {quoted(prompt)} does not name the token {quoted(token)}; put it in, or leave out"
            " --instance-prompt"
        )
    found, left_out, cut = _readable(source)
    own = [None if options.ignore_captions else one.caption for one, _ in found]
    pictures = tuple(TrainingPicture(file, text or prompt) for (_, file), text in zip(found, own, strict=True))
    missing = sum(text is None for text in own)
    return Pictures(
        pictures,
        left_out,
        (*_notes(missing, len(own), prompt), *_cut(cut, len(own))),
        (*_few(len(own)), *_unnamed(pictures, token)),
    )


def prior_pictures(source: Path, concept_class: str | None) -> Pictures:
    """The readable pictures of a prior, each with its caption, or that of its class.

    Raises:
        InputError: there is no such folder or list, it holds no readable image, or captions are missing and there is
            no class that could stand for them.
    """
    found, left_out, _ = _readable(source)
    missing = sum(one.caption is None for one, _ in found)
    if missing and not concept_class:
        raise InputError(
            f"{missing} of {plural(len(found), 'prior picture')} in {on_one_line(source, 120)} have no caption; give"
            " --class, whose name then stands for them, or write captions"
        )
    general = class_prompt(concept_class) if concept_class else ""
    pictures = tuple(TrainingPicture(file, one.caption or general) for one, file in found)
    told = f"{missing} of {plural(len(found), 'prior picture')} without a caption: {quoted(general)} stands for it"
    return Pictures(pictures, left_out, (told,) if missing else ())


def prior_doubts(prior: Pictures, pictures: Pictures, token: str) -> tuple[str, ...]:
    """What makes a prior teach the concept, where it should keep what else the model draws; a line each."""
    own = {content_of(picture.file) for picture in pictures.pictures}
    others = [picture for picture in prior.pictures if content_of(picture.file) not in own]
    count = plural(len(prior.pictures), "prior picture")
    remedy = "give pictures of other things of the class, under captions without it"
    lines = []
    if same := len(prior.pictures) - len(others):
        lines.append(
            f"{same} of {count} {'is' if same == 1 else 'are'} among the pictures that teach the concept; {remedy}"
        )
    if naming := [picture.caption for picture in others if mention(picture.caption, token) is not None]:
        which = f"{len(naming)} of {count} {'has' if len(naming) == 1 else 'have'} a caption that names {quoted(token)}"
        lines.append(f"{which}, such as {quoted(naming[0])}; {remedy}")
    return tuple(lines)


def _readable(source: Path) -> tuple[list[tuple[CaptionedImage, Path]], tuple[LeftOut, ...], int]:
    """The pictures that open, what is left out, and how many of the pictures are not square."""
    captioned = captioned_images(source)
    found: list[tuple[CaptionedImage, Path]] = []
    broken, cut = [], 0
    for one in captioned.images:
        opened = open_image(one.image.file)
        if isinstance(opened, ItemError):
            broken.append(LeftOut(one.image.path.as_posix(), str(opened), missing=True))
        else:
            found.append((one, one.image.file))
            cut += opened.width != opened.height
    if not found:
        first = broken[0]
        raise InputError(
            f"none of {plural(len(broken), 'image')} in {on_one_line(source, 120)} can be used: {first.file}"
            f" {first.reason}; give pictures that open"
        )
    return found, (*captioned.left_out, *broken), cut


def _notes(missing: int, count: int, prompt: str) -> tuple[str, ...]:
    if not missing:
        return ()
    whose = "all pictures are" if missing == count else f"{missing} of {count} pictures have no caption and are"
    return (f"{whose} trained under {quoted(prompt)}",)


def _cut(cut: int, count: int) -> tuple[str, ...]:
    """That of pictures that are not square only the middle is seen."""
    if not cut:
        return ()
    return (f"{cut} of {plural(count, 'picture')} are not square: only the square in the middle is learned from",)


def _few(count: int) -> tuple[str, ...]:
    if count >= LEAST:
        return ()
    what = "one picture" if count == 1 else f"{count} pictures"
    return (
        f"{what} to learn from: the model learns the whole picture, backdrop and place too, and will copy it; give"
        f" {LEAST} or more, in different places",
    )


def _unnamed(pictures: Sequence[TrainingPicture], token: str) -> tuple[str, ...]:
    """Where captions do not name the token, what they show is not bound to it."""
    without = [picture.caption for picture in pictures if mention(picture.caption, token) is None]
    if not without:
        return ()
    return (
        f"{len(without)} of {plural(len(pictures), 'caption')} do not name {quoted(token)}, such as"
        f" {quoted(without[0])}: those pictures do not teach it; put it in, or give --ignore-captions",
    )
