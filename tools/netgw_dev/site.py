"""What mkdocs does not know of our pages: links into the repository, and folders in the navigation.

Pages are read on a code host as well as on the site, so they link to tests and manifests by relative path. On the site
such a link leads to the code host when it is built there (GITHUB_REPOSITORY is set), else to the file beside `build/`.
mkdocs loads this file by its path (`hooks` in mkdocs.yml); it must not read anything from the network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

SCHEME = "repository:"
FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")
PLACED = re.compile(rf'href="{SCHEME}([^"#]*)(#[^"]*)?"')
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class File(Protocol):
    """As far as we need it of mkdocs' class."""

    src_uri: str
    dest_uri: str


class Page(Protocol):
    """Likewise."""

    file: File


def on_config(config: Any) -> Any:
    """A folder in the navigation stands for its pages."""
    config["nav"] = expanded(config["nav"], Path(config["docs_dir"]))
    return config


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links that leave docs/ get a scheme of their own, which mkdocs lets pass; code blocks stay as they are."""
    folder = PurePosixPath("docs") / PurePosixPath(page.file.src_uri).parent
    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(lambda found: _marked(folder, found), text) for text in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """And then the address at which the file can be read."""
    return PLACED.sub(lambda found: f'href="{address(found[1], page.file.dest_uri, os.environ)}{found[2] or ""}"', html)


def expanded(entries: list[Any], docs: Path) -> list[Any]:
    """The navigation with the pages of folders in place of these."""
    result: list[Any] = []
    for entry in entries:
        title, target = next(iter(entry.items()))
        if isinstance(target, list):
            result.append({title: expanded(target, docs)})
        elif target.endswith("/"):
            result.append({title: [_entry(path, docs) for path in sorted((docs / target).glob("*.md"))]})
        else:
            result.append(entry)
    return result


def address(path: str, page: str, environ: Mapping[str, str]) -> str:
    """Of a file of the repository, seen from a page of the site."""
    if repository := environ.get("GITHUB_REPOSITORY"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{repository}/blob/{environ.get('GITHUB_SHA', 'main')}/{path}"
    up = "../" * (len(PurePosixPath("build/site", page).parts) - 1)
    return up + path


def _marked(folder: PurePosixPath, found: re.Match[str]) -> str:
    path, hash_, anchor = found[1].partition("#")
    target = PurePosixPath(os.path.normpath(folder / path))
    inside = not path or (target.parts[:1] == ("docs",) and target.suffix == ".md")
    return found[0] if inside else f"]({SCHEME}{target}{hash_}{anchor})"


def _entry(path: Path, docs: Path) -> dict[str, str]:
    title = TITLE.search(path.read_text(encoding="utf-8"))
    return {title[1] if title else path.stem: path.relative_to(docs).as_posix()}
