"""Checks the built site: every local target exists, and nothing is fetched from another host.

``python docs/check_site.py site``. Ordinary links to other hosts may stand; pictures, scripts and styles may not.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("video", "src")}
_FETCHING = re.compile(r"""url\(["']?(https?:)?//""")


class _Targets(HTMLParser):
    """Collects what a page links to and what it fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.linked: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (tag, name) in _FETCHED:
                self.fetched.append(value)
            elif value and (tag, name) == ("a", "href"):
                self.linked.append(value)


def problems(site: Path) -> list[str]:
    """What is wrong with the site, one line each."""
    found = []
    for page in sorted(site.rglob("*.html")):
        targets = _Targets()
        targets.feed(page.read_text(encoding="utf-8"))
        name = page.relative_to(site)
        found += [f"{name} fetches {target}" for target in targets.fetched if urlsplit(target).netloc]
        if name.name == "404.html":  # its links start at the root of whatever serves the site
            continue
        local = [target for target in targets.linked + targets.fetched if _is_local(target)]
        found += [f"{name} leads to {target}, which is not there" for target in local if not _exists(page, target)]
    sheets = (sheet for sheet in sorted(site.rglob("*.css")) if _FETCHING.search(sheet.read_text(encoding="utf-8")))
    return found + [f"{sheet.relative_to(site)} fetches from another host" for sheet in sheets]


def _is_local(target: str) -> bool:
    parts = urlsplit(target)
    return bool(parts.path) and not parts.scheme and not parts.netloc


def _exists(page: Path, target: str) -> bool:
    path = page.parent / unquote(urlsplit(target).path)
    return (path / "index.html").is_file() if path.is_dir() else path.is_file()


def main() -> None:
    """Prints what is wrong and fails, or says that all is well."""
    site = Path(sys.argv[1])
    found = problems(site)
    sys.exit("\n".join(found)) if found else print(f"{site}: links hold, nothing is fetched from elsewhere")


if __name__ == "__main__":
    main()
