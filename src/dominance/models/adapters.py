"""Adapters that are added to a model: LoRA, and embeddings of textual inversion; what ``--adapter`` says."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError, ModelError
from dominance.files import exists, is_file, is_folder
from dominance.miniature.bundled import bundled_adapters
from dominance.models import hub
from dominance.models.contents import CHECKPOINT, EMBEDDING, EMBEDDING_NAMES, LORA, Contents, recognised
from dominance.models.not_models import PICKLED, pickled
from dominance.models.weight_headers import Header, file_identity, read_header
from dominance.wording import on_one_line, quoted, suggestion

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_GIVEN = re.compile(rf"(?P<where>.+?)(?::(?P<strength>{_NUMBER}))?(?:@(?P<start>{_NUMBER}))?")
_STRONGEST = 10
_USUAL = ("pytorch_lora_weights.safetensors", "adapter_model.safetensors", "learned_embeds.safetensors")
_MOST_TAGS = 5


@dataclass(frozen=True)
class Adapter:
    """One adapter, as it is asked for.

    Attributes:
        where: a bundled name, a file, a folder, or a hub id.
        strength: factor on what it adds, -10 to 10; 0 adds nothing.
        start: share of the denoising steps after which it acts, 0 to 1; 1 is never.

    Raises:
        InputError: a number out of its range.
    """

    where: str
    strength: float = 1.0
    start: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.strength) or abs(self.strength) > _STRONGEST:
            raise InputError(f"the strength of the adapter {quoted(self.where)} is {self.strength:g}; give -10 to 10")
        if not 0 <= self.start <= 1:
            raise InputError(
                f"the adapter {quoted(self.where)} is to act after {self.start:g} of the steps;"
                " give a share from 0 to 1"
            )

    def __str__(self) -> str:
        return f"{self.where}{self.numbers}"

    @property
    def numbers(self) -> str:
        """Strength and start, as they are written; both if one is not the usual."""
        return "" if (self.strength, self.start) == (1, 0) else f":{self.strength:g}@{self.start:g}"


def read_adapter(text: str) -> Adapter:
    """Reads ``NAME_OR_FILE[:STRENGTH][@START]``; a file or folder of the whole name comes first.

    A number after the last @ of a hub id is its start; a revision that looks like one needs the strength as well.

    Raises:
        InputError: no name, or a number out of its range.

    >>> read_adapter("brand.safetensors:0.8@0.4")
    Adapter(where='brand.safetensors', strength=0.8, start=0.4)
    >>> read_adapter("owner/name@v2")
    Adapter(where='owner/name@v2', strength=1.0, start=0.0)
    """
    if is_file(Path(text)) or (text and is_folder(Path(text))):
        return Adapter(text)
    found = _GIVEN.fullmatch(text)
    if found is None:
        raise InputError("an adapter has no name; give NAME_OR_FILE[:STRENGTH][@START]")
    return Adapter(found["where"], float(found["strength"] or 1), float(found["start"] or 0))


@dataclass(frozen=True)
class FoundAdapter:
    """An adapter whose file is known.

    Attributes:
        file: safetensors.
        contents: what the file holds.
        identity: hash of the file.
        notes: what the program that trained it noted in the file, such as its trigger words.
    """

    given: Adapter
    file: Path
    contents: Contents
    identity: str
    notes: dict[str, object]

    @property
    def name(self) -> str:
        """Its name for messages."""
        return on_one_line(self.given.where, 100)

    @property
    def is_embedding(self) -> bool:
        return self.contents.kind == EMBEDDING

    @property
    def token(self) -> str | None:
        """What to write in a prompt for an embedding: the name in the file, else the file's; None for a LoRA."""
        if not self.is_embedding:
            return None
        names = list(read_header(self.file).shapes)
        return names[0] if len(names) == 1 and names[0] not in EMBEDDING_NAMES else self.file.stem

    @property
    def recorded(self) -> str:
        """As the settings of a run record it: name, numbers and content."""
        return f"{Path(self.given.where).name}{self.given.numbers} ({self.identity})"

    def describe(self) -> dict[str, object]:
        """For the manifest."""
        kind = "textual inversion" if self.is_embedding else "LoRA"
        record: dict[str, object] = {"given": str(self.given), "file": self.file.name, "kind": kind}
        record["identity"] = self.identity
        if self.is_embedding:
            return {**record, "token": self.token, **self.notes}
        return {**record, "strength": self.given.strength, "start": self.given.start, **self.notes}


def find_adapters(texts: Sequence[str]) -> tuple[FoundAdapter, ...]:
    """The adapters and their files.

    Raises:
        InputError: one is given twice, or has numbers that cannot be used.
        ModelError: there is none of that name, or its file is none.
    """
    found: list[FoundAdapter] = []
    for text in texts:
        adapter = find_adapter(read_adapter(text))
        if any(adapter.identity == other.identity for other in found):
            raise InputError(f"the adapter {adapter.name!r} is given twice; give it once, with the strength you want")
        found.append(adapter)
    return tuple(found)


def find_adapter(given: Adapter) -> FoundAdapter:
    """An adapter's file, and what is in it.

    Raises:
        ModelError: there is none of that name, or its file is no adapter.
        InputError: numbers that an embedding does not have.
    """
    file = _file_of(given.where)
    header = read_header(file)
    contents = recognised(header)
    shown = on_one_line(given.where, 100)
    if contents.kind == CHECKPOINT:
        raise ModelError(f"the adapter {shown!r} is a whole checkpoint; give it as --model")
    if contents.kind not in (LORA, EMBEDDING):
        raise ModelError(f"the adapter {shown!r} holds {contents.what}; give a LoRA or a textual inversion embedding")
    if contents.kind == EMBEDDING and given.numbers:
        raise InputError(
            f"the adapter {shown!r} is a textual inversion embedding, which has neither strength nor start;"
            " leave out the numbers after its name"
        )
    return FoundAdapter(given, file, contents, file_identity(file), noted(header))


def _file_of(where: str) -> Path:
    bundled = bundled_adapters()
    if where in bundled:
        return _only_file(bundled[where], where)
    path = Path(where)
    if is_file(path):
        if path.suffix.lower() in PICKLED:
            raise pickled(path)
        return path
    if where and is_folder(path):
        return _only_file(path, where)
    known = (where[:end] for end in _marks(where) if where[:end] in bundled or exists(Path(where[:end])))
    named = next(known, None)
    if named is not None:
        raise ModelError(
            f"after the adapter {quoted(named, 80)} stands {quoted(where[len(named) :], 40)}; write :STRENGTH and"
            " @START as numbers, such as :0.8@0.4"
        )
    hub_id, file = _in_hub(where)
    if hub_id is None or (file is None and where.endswith(".safetensors")):
        raise ModelError(
            f"no adapter {quoted(where, 80)}{suggestion(where, bundled)} give a .safetensors file, a folder, a hub id"
            " or a bundled name (`dominance list adapters`), then :STRENGTH and @START as numbers, such as"
            " brand.safetensors:0.8@0.4"
        )
    return _only_file(hub.fetch_adapter(hub_id, file, _USUAL), where, file)


def _marks(where: str) -> list[int]:
    """Where a name may end and its numbers begin, the last first."""
    return [place for place in reversed(range(1, len(where))) if where[place] in ":@"]


def _in_hub(where: str) -> tuple[hub.HubId | None, str | None]:
    """The repository that a name means, and the file in it where the name goes on to one."""
    parts = where.split("/", 2)
    if len(parts) == 3 and parts[2].endswith(".safetensors") and ".." not in parts[2].split("/"):
        return hub.read_hub_id("/".join(parts[:2])), parts[2]
    return hub.read_hub_id(where), None


def _only_file(folder: Path, where: str, named: str | None = None) -> Path:
    """The adapter's file in a folder: the one named, one of a usual name, else the only one."""
    for name in (named,) if named else _USUAL:
        if is_file(folder / name):
            return folder / name
    files = sorted(folder.glob("*.safetensors"))
    if len(files) == 1 and named is None:
        return files[0]
    shown = on_one_line(where, 100)
    if not files:
        other = next((file for file in sorted(folder.glob("*")) if file.suffix.lower() in PICKLED), None)
        if other is not None:
            raise pickled(other)
        if is_file(folder / "model_index.json"):
            raise ModelError(f"the adapter {shown!r} is a whole model; give it as --model")
        raise ModelError(f"the adapter {shown!r} has no .safetensors file; give the file, or another folder")
    raise ModelError(
        f"the adapter {shown!r} has several files ({', '.join(file.name for file in files[:6])}); give one of them"
    )


def noted(header: Header) -> dict[str, object]:
    """Trigger words and the like in a file's metadata."""
    data = header.metadata
    notes: dict[str, object] = {}
    if data.get("modelspec.trigger_phrase"):
        notes["trigger_phrase"] = on_one_line(data["modelspec.trigger_phrase"], 200)
    if data.get("ss_output_name"):
        notes["trained_as"] = on_one_line(data["ss_output_name"], 100)
    tags = _tags(data.get("ss_tag_frequency", ""))
    return notes | ({"frequent_tags": tags} if tags else {})


def _tags(text: str) -> list[str]:
    """The tags that most of the training images had."""
    try:
        folders = json.loads(text)
        counted: Counter[str] = Counter()
        for tags in folders.values():
            counted.update({str(tag).strip(): int(count) for tag, count in tags.items()})
    except (ValueError, TypeError, AttributeError):
        return []
    return [on_one_line(tag, 60) for tag, _ in counted.most_common(_MOST_TAGS)]
