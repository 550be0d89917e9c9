"""Writes docs/checks.md from the shipped checks: `python docs/build_checks.py`.

What stands there before the fields is written by hand and kept.
"""

from __future__ import annotations

from pathlib import Path

from drgcore.checks import Catalogue
from drgcore.checks.code_sets import LISTS, SCHEME_SETS
from drgcore.checks.fields import FIELDS

PAGE = Path(__file__).with_name("checks.md")
MADE = "## Fields\n"


def page() -> str:
    """The whole page."""
    catalogue = Catalogue.load()
    head = PAGE.read_text(encoding="utf-8").partition(MADE)[0]
    lines = [head + MADE, "| field | kind | |", "| --- | --- | --- |"]
    lines += [f"| `{f.name}` | {f.kind} | {f.meaning} |" for f in FIELDS.values()]
    lines += [
        "",
        "Parameters: " + ", ".join(f"`{k}` {v:g}" for k, v in catalogue.parameters.items()),
    ]
    lines += ["", "## Sets of codes", "", "| set | of | source |", "| --- | --- | --- |"]
    lines += [f"| `{s.name}` | {s.system} | {s.source} |" for s in catalogue.sets.values()]
    lines += [f"| `{n}` | {of} | 编码清单（`scheme show`） |" for n, of in LISTS.items()]
    lines += [f"| `{n}` | {of} | 分组方案的规则 |" for n, of in SCHEME_SETS.items()]
    lines += [
        "",
        "## Sources",
        "",
        "The texts of the rules of front page and settlement list were not at hand in full when",
        "the checks were written: a check names the document and the item, no article.",
        "",
        "| kind | source | |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {s['kind']} | {s['zh']} | {s['en']} |" for s in catalogue.sources.values()]
    lines += ["", "## The checks", "", "| check | level | | source |", "| --- | --- | --- | --- |"]
    for check in catalogue.checks:
        when = check.when.replace("|", "\\|")
        shown = f"`{when}`" if len(when) < 400 else "(see the file)"
        told = f"{check.zh}<br>{check.en}<br>{shown}"
        lines.append(f"| {check.code} | {check.level} | {told} | {check.source} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
