"""The pages of the site in one folder: those of docs/, and those that are made.

Formulas are LaTeX between dollars in a line and in blocks of ``math``; they become MathML, which
browsers show without a script.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from figures import write_figures
from latex2mathml.converter import convert
from reference import write_reference
from tables import with_tables

# Pages of the repository that stand elsewhere, under the name that they have in the site.
ELSEWHERE = {
    "changelog.md": "CHANGELOG.md",
    "architecture.md": "ARCHITECTURE.md",
    "security.md": "SECURITY.md",
    "sources.md": "data/grouper_tables/SOURCES.md",
    "findings.md": "data/grouper_tables/FINDINGS.md",
    "fonts.md": "data/fonts/SOURCES.md",
}
FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
IN_LINE = re.compile(r"\$([^$\n`]+)\$")
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def with_links(text: str, own: Path, pages: dict[Path, str], page: str) -> str:
    """The text with its links to other files turned to the pages that those are in the site.

    `own` is where the text stands in the repository, `pages` the page of each such file, `page`
    that of the text. A file that is no page is named without a link.
    """

    def turned(found: re.Match[str]) -> str:
        target, anchor = found[1], found[2] or ""
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        file = Path(os.path.normpath(own.parent / target))
        name = pages.get(file)
        if name is None:
            return found[0]
        return f"]({os.path.relpath(name, Path(page).parent or '.')}{anchor})"

    return LINK.sub(turned, text)


def with_formulas(text: str) -> str:
    """The text with its formulas as MathML."""
    parts = FENCED.split(text)
    for place, part in enumerate(parts):
        if place % 2 == 0:
            parts[place] = IN_LINE.sub(lambda found: convert(found[1]), part)
        elif part.startswith("```math\n"):
            parts[place] = convert(part[8:-3].strip(), display="block")
    return "".join(parts)


def assemble(root: Path, made: Path) -> None:
    """Make the folder of pages anew."""
    docs = root / "docs"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(docs, made, ignore=shutil.ignore_patterns("making", "*.py", "__pycache__"))
    pages = {
        path: path.relative_to(docs).as_posix()
        for path in docs.rglob("*")
        if path.is_file() and "making" not in path.parts
    }
    pages |= {root / source: name for name, source in ELSEWHERE.items()}
    for source, name in pages.items():
        if source.suffix == ".md":
            text = with_links(source.read_text("utf-8"), source, pages, name)
            if source.parent == docs:
                text = with_formulas(with_tables(text))
            (made / name).write_text(text, "utf-8")
    write_reference(made)
    write_figures(made)
    shutil.copy(root / "data" / "fonts" / "OFL.txt", made)
