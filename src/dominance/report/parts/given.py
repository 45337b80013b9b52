"""What a run was given, and command lines that are given the same."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.models.presets import PRESETS
from dominance.records import Prompt
from dominance.runs.store.repeat import flat, read_repeat
from dominance.seeds import written_seeds
from dominance.written import NAMED

DEFAULT = "miniature"
"""The bundled suite, model and judge, which commands take unless another is given."""
_MACHINE = ("device", "offload")
_OF_HUB = ("revision", "variant", "model_config")
"""What chooses the weights of a model that has several, or no configuration."""
_NOT_COPIED = ("seeds", "batch", "engine")


@dataclass(frozen=True)
class Given:
    """Suite, model, judge and options of a run.

    Attributes:
        suite, model, judge: as commands take them; None for one that has no name there, such as one's own pipeline.
        drawing: the options of drawing that are not the default.
        asking: those of how the judge is asked.
    """

    suite: str | None
    model: str | None
    judge: str | None
    drawing: Mapping[str, object]
    asking: Mapping[str, object]
    more: Mapping[str, object]

    @property
    def can_draw(self) -> bool:
        """Whether a command can draw with the same model, and ask the same judge about what it draws."""
        return self.model is not None and self.judge is not None and not self.judge.startswith("answers:")

    def with_model(self, folder: str) -> "Given":
        """The same with another model, a folder of plain weights."""
        drawing = {name: value for name, value in self.drawing.items() if name not in _OF_HUB}
        return replace(self, model=folder, drawing=drawing)

    def of(self, prompt: Prompt) -> "Given":
        """What this prompt's images were given."""
        if prompt.negative_prompt is None:
            return self
        return replace(self, drawing={**self.drawing, "negative_prompt": prompt.negative_prompt})

    def command(
        self,
        name: str,
        *what: str,
        seeds: Sequence[int] = (),
        judge: str | None = None,
        asks: bool = True,
        **more: object,
    ) -> str:
        """A command line to copy, with this model, judge and options.

        Args:
            judge: another one.
            asks: whether the command asks a judge.
            more: options of the command beside those of the run.
        """
        options = {"model": self.model, **({"judge": judge or self.judge} if asks else {})}
        given: dict[str, object] = {option: own for option, own in options.items() if own not in (None, DEFAULT)}
        given |= {"concepts": self.more.get("concepts")} if self.suite in what else {}
        given |= {"seeds": _seeds(seeds)} if seeds else {}
        same_judge = asks and judge in (None, self.judge)
        return command(name, *what, **given, **self.drawing, **(self.asking if same_judge else {}), **more)


def given_to(folder: Path | str, model: str, judge: str | None = None, settings: Mapping[str, object] = {}) -> Given:
    """What the run in a folder was given: as its run.yaml says, else as its result tells.

    Args:
        model, judge, settings: of its result.
    """
    written = read_repeat(Path(folder))
    if written is None:
        told = {name: value for name, value in settings.items() if name != "questions"}  # a name, not a file
        return _given({**told, "model": model, "judge": judge or DEFAULT})
    return _given(written)


def given_by(suite: str, model: str, options: object) -> Given:
    """What a command without a run folder was given."""
    return _given({**flat(options), "suite": suite, "model": model})


def command(name: str, *what: str, **options: object) -> str:
    """A command line to copy.

    >>> command("audit", "a [mug]", model="owner/name", vae_tiling=True, judge_option=["n=1", "m=2"])
    "dominance audit 'a [mug]' --model owner/name --vae-tiling --judge-option n=1 --judge-option m=2"
    """
    words = ["dominance", *name.split(), *what]
    for option, value in options.items():
        flag = f"--{option.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif isinstance(value, list | tuple):
            numbers = all(isinstance(part, int) for part in value)
            listed = [",".join(map(str, value)) + ("," if len(value) == 1 else "")] if numbers else value
            words += [word for part in listed for word in (flag, str(part))]
        elif value is not None:
            words += [flag, str(value)]
    return " ".join(map(shlex.quote, words))


def _given(written: Mapping[str, object]) -> Given:
    named = {name: written.get(name) for name in ("suite", "model", "judge")}
    preset = PRESETS.get(str(written.get("preset")))
    drawing = {
        name: value
        for name, value in {**_unlike(Drawing, written), **_unlike(Machine, written, _MACHINE)}.items()
        if preset is None or value != getattr(preset, name, None)
    }
    return Given(
        **{name: value if isinstance(value, str) else None for name, value in named.items()},
        drawing=drawing,
        asking=_unlike(Asking, written),
        more=written,
    )


def _unlike(kind: Any, written: Mapping[str, object], names: Sequence[str] = ()) -> dict[str, object]:
    """The options of a class that are written and not its default."""
    wanted: dict[str, Any] = {field.metadata.get(NAMED, field.name): field.default for field in fields(kind)}
    return {
        name: written[name]
        for name, default in wanted.items()
        if name not in _NOT_COPIED and (not names or name in names) and _says(written.get(name), default)
    }


def _says(value: object, default: object) -> bool:
    """Whether a command needs to be given this value; 0 is one."""
    return value is not None and value is not False and value not in ("", [], ()) and value != default


def _seeds(seeds: Sequence[int]) -> int | list[int]:
    return written_seeds(tuple(seeds))
