"""What the site takes from outside of docs/: the model card, which stands beside the README."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_CARD, _PAGE = "MODEL_CARD.md", "model-card.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the model card."""
    card = Path(config.config_file_path).with_name(_CARD).read_text(encoding="utf-8")
    files.append(File.generated(config, _PAGE, content=card))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Links to the card lead to its page here."""
    up = "../" * page.file.src_uri.count("/")
    return markdown.replace(f"]({up}../{_CARD})", f"]({up}{_PAGE})")
