"""What is fetched from a model hub: safetensors and plain settings, from the cache alone when offline."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import ModelError
from dominance.models.variants import variant_of
from dominance.wording import complaint

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
_LONGEST_HUB_ID = 200
_WANTED = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True)
class HubId:
    """A hub repository and its branch, tag or commit; None is the main branch."""

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repository if self.revision is None else f"{self.repository}@{self.revision}"


def read_hub_id(name: str, revision: str | None = None) -> HubId | None:
    """The hub id that a name and a revision mean; None if the name is not one.

    Raises:
        ModelError: the name says one revision and the argument another.

    >>> read_hub_id("owner/name@v1"), read_hub_id("miniature")
    (HubId(repository='owner/name', revision='v1'), None)
    """
    if len(name) > _LONGEST_HUB_ID or not _HUB_ID.fullmatch(name):
        return None
    repository, _, named = name.partition("@")
    if named and revision and named != revision:
        raise ModelError(
            f"{name!r} names the revision {named!r}, but --revision is {revision[:60]!r}; give one of them"
        )
    return HubId(repository, named or revision or None)


def refuse_revision(name: str, revision: str | None) -> None:
    """Raises a ModelError for a revision of a folder, which has no revisions."""
    if revision is not None:
        raise ModelError(
            f"{name[:80]!r} is a folder, so it has no revision {revision[:60]!r};"
            " leave out --revision, or give a hub id"
        )


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids fetching."""
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def fetch_pipeline(hub_id: HubId, variant: str | None = None) -> Path:
    """The folder of a pipeline's components, one precision of each and nothing else; its name is the commit.

    Args:
        variant: of the weights, such as ``fp16``; parts that do not have it are fetched plain.

    Raises:
        ModelError: it cannot be fetched, or is not in the cache when offline.
    """
    from diffusers import DiffusionPipeline

    def fetch(offline: bool) -> object:
        return DiffusionPipeline.download(
            hub_id.repository,
            revision=hub_id.revision,
            use_safetensors=True,
            local_files_only=offline,
            **({} if variant is None else {"variant": variant}),
        )

    return _fetched(fetch, f"the model {str(hub_id)!r}", "the pipeline")


def fetch_weights(hub_id: HubId, what: str) -> Path:
    """The folder of a repository's safetensors and settings; its name is the commit.

    Raises:
        ModelError: it cannot be fetched, or is not in the cache when offline.
    """
    from huggingface_hub import snapshot_download

    def fetch(offline: bool) -> str:
        return snapshot_download(
            hub_id.repository, revision=hub_id.revision, allow_patterns=_WANTED, local_files_only=offline
        )

    return _fetched(fetch, f"{what} ({hub_id})", "its files")


def fetch_adapter(hub_id: HubId, file: str | None, usual: Sequence[str]) -> Path:
    """The folder with the adapter of a repository: the file named, one of a usual name, else all its safetensors.

    Raises:
        ModelError: it cannot be fetched, or is not in the cache when offline.
    """
    from huggingface_hub import HfApi, snapshot_download

    def fetch(offline: bool) -> str:
        wanted = [file] if file else ["*.safetensors"]
        if not offline and file is None:
            listed = HfApi().list_repo_files(hub_id.repository, revision=hub_id.revision)
            wanted = [name for name in usual if name in listed][:1]
            wanted = wanted or [name for name in listed if name.endswith(".safetensors") and "/" not in name]
            if len(wanted) != 1:
                raise ValueError(
                    f"it has {len(wanted)} .safetensors files"
                    + (f" ({', '.join(wanted[:6])}): name one, as {hub_id.repository}/FILE" if wanted else "")
                )
        patterns = [*wanted, "adapter_config.json"]
        return snapshot_download(
            hub_id.repository, revision=hub_id.revision, allow_patterns=patterns, local_files_only=offline
        )

    return _fetched(fetch, f"the adapter {str(hub_id)!r}", "its .safetensors file")


def variants_at(hub_id: HubId) -> list[str]:
    """The variants that a hub has weights of; empty when offline, or where the hub does not say."""
    if is_offline():
        return []
    from huggingface_hub import HfApi

    try:
        files = HfApi().list_repo_files(hub_id.repository, revision=hub_id.revision)
    except Exception:  # the hub's client raises many kinds; the caller has an error of its own
        return []
    return sorted({variant for file in files if (variant := variant_of(Path(file).name))})


_NOT_CACHED = ("LocalEntryNotFoundError", "OfflineModeIsEnabled")


def _fetched(fetch: Callable[[bool], object], what: str, wanted: str) -> Path:
    offline = is_offline()
    try:
        return Path(str(fetch(offline)))
    except Exception as error:  # the hub's client raises many kinds; each ends here as one line
        if offline and type(error).__name__ in _NOT_CACHED:
            raise ModelError(
                f"{what} is not in the hub's cache, and HF_HUB_OFFLINE is set; unset it to fetch what is missing, or"
                f" give a folder with {wanted}"
            ) from None
        raise ModelError(
            f"cannot fetch {what} from the {'cache' if offline else 'hub'} ({type(error).__name__}:"
            f" {complaint(error).partition('. ')[0]}); {_remedy(error, offline)}, or give a folder with {wanted}"
        ) from None


def _remedy(error: Exception, offline: bool) -> str:
    if offline:
        return "unset HF_HUB_OFFLINE to fetch it"
    if type(error).__name__ == "GatedRepoError":
        return "accept its terms on its page and log in (hf auth login)"
    if "model_index.json" in str(error):
        return (
            "it holds no diffusers pipeline: give a LoRA or an embedding as --adapter, and download a single-file"
            " checkpoint (hf download ID FILE)"
        )
    return "check the id and the connection"
