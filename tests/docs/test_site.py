"""The site of the documentation: what its plan names is there, and nothing is fetched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# A tag of another server's address that a browser loads when it shows the page.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
ELSEWHERE = re.compile(r"^(https?:)?//")


class _Plan(yaml.SafeLoader):
    """The plan as data; what only the builder makes of it is left aside."""


_Plan.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)
PLAN = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader=_Plan)


def pages_of(nav: list) -> list[str]:
    """Every page that a plan names, in order."""
    found: list[str] = []
    for entry in nav:
        value = entry if isinstance(entry, str) else next(iter(entry.values()))
        found += [value] if isinstance(value, str) else pages_of(value)
    return found


def titles_of(nav: list) -> list[str]:
    """Every title of a plan."""
    found: list[str] = []
    for entry in nav:
        if isinstance(entry, dict):
            [(title, value)] = entry.items()
            found += [title, *([] if isinstance(value, str) else titles_of(value))]
    return found


def test_every_title_is_there_in_chinese() -> None:
    [plugin] = [p["i18n"] for p in PLAN["plugins"] if isinstance(p, dict) and "i18n" in p]
    [chinese] = [lang for lang in plugin["languages"] if lang["locale"] == "zh"]
    # Rooms are called as in the code.
    titles = {title for title in titles_of(PLAN["nav"]) if not title.islower()}
    assert sorted(chinese["nav_translations"]) == sorted(titles)


# Pages that are made by docs/making when the site is built.
MADE = re.compile(
    r"reference/\w+|commands|figures|changelog|architecture|security|sources|findings|fonts"
)


def test_every_page_of_the_plan_is_there_or_made_and_every_page_is_in_the_plan() -> None:
    planned = pages_of(PLAN["nav"])
    assert len(planned) == len(set(planned))
    there = {
        path.relative_to(DOCS).as_posix()
        for path in DOCS.rglob("*.md")
        if not path.name.endswith(".zh.md")
    }
    assert {page for page in planned if not MADE.fullmatch(page[:-3])} == there


def test_every_link_between_pages_leads_to_one() -> None:
    """The quick form of what the strict build looks at with its anchors."""
    pages = list(DOCS.rglob("*.md"))
    assert len(pages) > 60
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            file = Path(os.path.normpath(page.parent / target))
            if file.is_relative_to(DOCS):
                name = file.relative_to(DOCS).as_posix()
                made = MADE.fullmatch(name.removesuffix(".md")) or name.startswith("figures/")
                assert made or file.is_file(), f"{page}: {target}"
            else:
                assert file.is_file(), f"{page}: {target}"


class _Loads(HTMLParser):
    """What a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get(LOADED.get(tag, ""))
        if tag == "link" and values.get("rel") not in ("canonical", "alternate"):
            address = values.get("href")
        if address and ELSEWHERE.match(address):
            self.found.append(address)


def test_what_a_page_loads_is_seen() -> None:
    page = _Loads()
    page.feed('<a href="https://a"></a><script src="//b"></script><link rel=icon href="http://c">')
    assert page.found == ["//b", "http://c"]


@pytest.mark.long
def test_the_site_is_built_whole_and_fetches_nothing(tmp_path: Path) -> None:
    """Strict: every link and anchor leads to something."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert {"index.html", "policy.html"} <= {page.name for page in pages}
    for path in pages:
        page = _Loads()
        page.feed(path.read_text("utf-8"))
        assert page.found == [], path
    for style in tmp_path.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text("utf-8"))
