"""The site: built without a warning, of nothing that is fetched from elsewhere, with every page within reach."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from netgw_dev import site
from support.cluster import ROOT

SITE = ROOT / "build" / "site"
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Addresses(HTMLParser):
    """What a browser fetches by itself, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            self.links.append(values.get("href") or "")
        elif (kind := FETCHED.get(tag)) and values.get("rel") != "canonical":
            self.fetched.append(values.get(kind) or "")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A proxy that nobody serves stands for a missing network."""
    target = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", str(target)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ | nowhere | quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def pages(built: Path) -> Iterator[tuple[Path, Addresses]]:
    for path in sorted(built.rglob("*.html")):
        found = Addresses()
        found.feed(path.read_text())
        yield path, found


def test_every_page_is_there(built: Path) -> None:
    made = {path.relative_to(built).with_suffix(".md").as_posix() for path, _ in pages(built)}
    assert made - {"404.md"} == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


def test_nothing_is_fetched_from_another_host(built: Path) -> None:
    fetched = {(path.name, url) for path, found in pages(built) for url in found.fetched}
    assert len(fetched) > 10
    assert [(name, url) for name, url in fetched if "//" in url] == []
    styles = "".join(path.read_text() for path in built.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_no_page_has_what_would_load_a_script_from_elsewhere(built: Path) -> None:
    """The theme fetches mermaid from another host as soon as a page has a diagram of it."""
    assert [path.name for path, _ in pages(built) if 'class="mermaid"' in path.read_text()] == []


def test_links_into_the_repository_lead_to_files(built: Path) -> None:
    """Seen from build/site, where `make check` puts them."""
    for path, found in pages(built):
        if path.name == "404.html":  # served at any address, so it links from the root
            continue
        place = SITE / path.relative_to(built).parent
        for link in found.links:
            assert not link.startswith(site.SCHEME), link
            target = link.partition("#")[0]
            if target and "//" not in target and not target.startswith("mailto:"):
                absolute = Path(os.path.normpath(place / target))
                in_site = absolute.is_relative_to(SITE)
                assert (built / absolute.relative_to(SITE) if in_site else absolute).exists(), f"{path.name}: {link}"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "../../../tests/e2e"),
        ({"GITHUB_REPOSITORY": "o/r"}, "https://github.com/o/r/blob/main/tests/e2e"),
        (
            {"GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": "abc", "GITHUB_SERVER_URL": "https://code.example"},
            "https://code.example/o/r/blob/abc/tests/e2e",
        ),
    ],
)
def test_files_of_the_repository_have_an_address(environ: dict[str, str], expected: str) -> None:
    assert site.address("tests/e2e", "tasks/rotate.html", environ) == expected


def test_a_folder_in_the_navigation_stands_for_its_pages(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "down.md").write_text("# It is down\n")
    nav = [{"More": [{"Runbooks": "runbooks/"}]}, {"Gone": "gone.md"}]
    shown = [{"More": [{"Runbooks": [{"It is down": "runbooks/down.md"}]}]}, {"Gone": "gone.md"}]
    assert site.expanded(nav, tmp_path) == shown
