"""From a request to a job: everything is checked, and what the command will read lies in the job's own folder."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dominance.errors import InputError
from dominance.files import write_whole
from dominance.runs.store.repeat import Repeat
from dominance.serve.jobs import Job
from dominance.serve.options import ServeOptions
from dominance.serve.outside import adapters_of, built, chosen
from dominance.serve.places import OWN
from dominance.serve.runs import card_of
from dominance.serve.uploads import Uploads
from dominance.serve.verbs import Verb
from dominance.serve.work import job_folder
from dominance.suites import bundled_suites, load_suite
from dominance.suites.brackets import clean_text, parse_prompt
from dominance.suites.documents import read_yaml
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

_LONGEST_TITLE = 200
_CONFIG = "job.yaml"
_STORED = "the job was not made by this version of the service; ask for it again"


class Desk:
    """Makes jobs of requests.

    Args:
        service: its options.
        uploads: of images.
    """

    def __init__(self, service: ServeOptions, uploads: Uploads) -> None:
        self._service, self._uploads = service, uploads
        self._own = service.folder / OWN

    def job_of(self, verb: Verb, given: Mapping[str, Any]) -> Job:
        """The job that a request asks for; its files are written.

        Raises:
            InputError: something that the command or the service refuses.
        """
        options = built(verb.options, given, replace(self._service, machine=verb.machine(self._service.machine)))
        arguments: dict[str, object] = {}
        if verb.model:
            arguments["model"] = chosen("model", given.get("model"), self._service.model)
        if verb.judge:
            arguments["judge"] = chosen("judge", given.get("judge"), self._service.judge)
        if verb.subject == "prompt":
            arguments["prompt"] = _one_prompt(given["prompt"])
            title = _plain(str(arguments["prompt"]))
            asked = None
        else:
            asked = _suite(given["prompts"], given.get("concepts"))
            title = _title(asked)
        if verb.subject == "upload":
            arguments["images"] = str(self._images(given["upload"]))
        self._check_amount(asked, verb.images(options), given)
        id = secrets.token_hex(6)
        run = f"{verb.name}-{id[:8]}" if verb.folder else None  # no word of the prompt: it stands in addresses
        folder = job_folder(self._own, id)
        if asked is not None:
            arguments["suite"] = _kept(asked, folder)
        if run is not None:
            arguments["out"] = str(self._service.folder / run)
        config = write_whole(folder / _CONFIG, Repeat(verb.name, arguments, options).text().encode())
        command = (*verb.name.split(), "--config", str(config), "--json")
        title, reads = on_one_line(title, _LONGEST_TITLE), given.get("upload")
        return Job(id=id, verb=verb.name, title=title, command=command, run=run, reads=reads)

    def beside(self, run: str, other: str) -> Job:
        """The job that lays another run beside one; it runs nothing of what either was made with.

        Raises:
            InputError: no such runs, or none that can be compared.
        """
        root = self._service.folder
        cards = [card_of(root, name) for name in (run, other)]
        if run == other or not all(card is not None and card.comparable for card in cards):
            raise InputError("choose two different runs of audit or score, of the same prompts and by the same judge")
        command = ("report", str(root / run), "--beside", str(root / other), "--json")
        title = f"{run} beside {other}"
        return Job(id=secrets.token_hex(6), verb="compare", title=title, command=command, run=run, reads=other)

    def check_stored(self, job: Job) -> None:
        """Refuses a job of an earlier service that this one would not make: what may be loaded may have changed.

        Raises:
            InputError: its command is another one, or loads what this service does not.
        """
        if job.verb == "compare":
            if job.command != self.beside(job.run or "", job.reads or "").command:
                raise InputError(_STORED)
            return
        config = job_folder(self._own, job.id) / _CONFIG
        *verb, option, file, json = job.command
        if (*verb, option, json) != (job.verb, "--config", "--json") or Path(file).resolve() != config.resolve():
            raise InputError(_STORED)
        kept = read_yaml(config)
        if not isinstance(kept, Mapping) or kept.get("command") != job.verb:
            raise InputError(_STORED)
        for name, allowed in (("model", self._service.model), ("judge", self._service.judge)):
            if name in kept:
                chosen(name, str(kept[name]), allowed)
        adapters_of([str(text) for text in kept.get("adapter") or ()], self._service)

    def _images(self, upload: str) -> Path:
        folder = self._uploads.find(upload)
        if folder is None or not any(folder.glob("*.png")):
            raise InputError(f"there is no upload {quoted(upload)} with images; send some first")
        return folder

    def _check_amount(self, asked: "_Asked | None", each: int, given: Mapping[str, Any]) -> None:
        """Refuses a job that draws more than the service allows, where ``each`` prompt has so many images."""
        prompts = 1
        if asked is not None:
            prompts = len(load_suite(asked).prompts if isinstance(asked, str) else asked)
            prompts = min(prompts, given.get("limit") or prompts)
        if prompts * each > self._service.most_images:
            raise InputError(
                f"the job may draw {prompts * each} images, {each} for each prompt, and the service allows"
                f" {self._service.most_images}; ask for fewer images or prompts"
            )


_Asked = str | tuple[tuple[str, str], ...]
"""A bundled suite's name, or prompts by their ids."""


def _one_prompt(text: str) -> str:
    if "[" not in text:
        raise InputError(f"{quoted(text)} marks no concept; put what must survive in brackets, as in 'a [mug]'")
    parse_prompt(text, "prompt")
    return text.strip()


def _suite(prompts: Sequence[str], words: str | None) -> _Asked:
    """What the prompts are.

    Args:
        words: a word list that finds concepts in prompts that mark none.

    Raises:
        InputError: a prompt that marks no concept, or cannot be read.
    """
    texts = [text.strip() for text in prompts if text.strip()]
    if len(texts) == 1 and texts[0] in bundled_suites():
        return texts[0]
    if not texts:
        raise InputError("there is no prompt; write one, with its concepts in brackets")
    asked: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        where = f"prompt {number}"
        plain = clean_text(text, where) if "[" not in text and words else parse_prompt(text, where).text
        id = slug(plain)
        asked[f"{id}-{number}" if id in asked else id] = text
    return tuple(asked.items())


def _title(asked: _Asked) -> str:
    if isinstance(asked, str):
        return asked
    return f"{_plain(asked[0][1])}{f' and {len(asked) - 1} more' if len(asked) > 1 else ''}"


def _plain(text: str) -> str:
    """The prompt without its brackets."""
    return parse_prompt(text, "prompt").text if "[" in text else text


def _kept(asked: _Asked, folder: Path) -> str:
    """What the command is given: a bundled suite's name, or a file, so that no text is taken for a path."""
    if isinstance(asked, str):
        return asked
    listed = [{"id": id, "prompt": text} for id, text in asked]
    document = {"name": slug(_title(asked))[:60].strip("-"), "prompts": listed}
    return str(write_whole(folder / "suite.json", json.dumps(document, ensure_ascii=False).encode()))
