"""What the pages show of the program: their commands are run, their outputs are its own.

`python docs/making/commands.py` follows the pages in order and writes each output anew.

In a page that is followed

- a block of ``sh`` holds commands, one a line; `> name` at the end of one writes its output there;
- a block of ``text`` right after it is what these commands print. A line `…` stands for lines that
  are left out; as many lines as stand before and after it are shown;
- a block with ``title="name"`` is a file that the reader writes, and one of ``diff`` with a title
  what the reader changes in a file: each line with `-` stands there once, one with `+` follows;
- a block of ``python`` is run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner

from drgcore.cli.app import app
from drgcore.language import use_language

DOCS = Path(__file__).parents[1]
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"
# Hashes and times are other ones in every run.
VARYING = re.compile(r"\b[0-9a-f]{12,64}\b|\d{4}-\d\d-\d\dT[\d:]+\+00:00")
TASK = re.compile(r"^\d+\. \[.*\]\((\S+\.md)\)$", re.MULTILINE)
# The rest of the pages uses the files that the tutorial makes.
FIRST = "tutorial.md"


def followed_pages() -> list[Path]:
    """The English pages that are followed: the tutorial, then tasks in the order of their lists."""
    lists = [DOCS / "how-to" / folder / "index.md" for folder in ("bureau", "hospital")]
    tasks = [page.parent / name for page in lists for name in TASK.findall(page.read_text("utf-8"))]
    return [DOCS / FIRST, *tasks]


def twin(page: Path) -> Path:
    """The Chinese page of an English one."""
    return page.with_suffix(".zh.md")


def run_command(line: str, language: str) -> str:
    """What a command prints, in a language; it must end with exit code 0, or say 1 at its end."""
    command, _, wanted = line.partition("  # exit code ")
    command, _, file = command.partition(" > ")
    program, *arguments = shlex.split(command, comments=True)
    if program != "drgcore":
        raise ValueError(f"not a command of drgcore: {line}")
    runner = CliRunner(env={"COLUMNS": "100", "DRGCORE_LANG": language})
    done = runner.invoke(app, arguments)
    if done.exit_code != int(wanted or 0):
        raise ValueError(f"exit code {done.exit_code}: {line}\n{done.output}\n{done.exception!r}")
    if file:
        Path(file.strip()).write_text(done.stdout, encoding="utf-8")
        return done.stderr
    return done.output


def shown(output: str, pattern: str) -> str:
    """An output cut as a page shows it: with as many lines before and after `…` as stand there."""
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    wanted = pattern.splitlines()
    if LEFT_OUT not in wanted:
        return "".join(f"{line}\n" for line in lines)
    place = wanted.index(LEFT_OUT)
    rest = len(wanted) - place - 1
    kept = [*lines[:place], LEFT_OUT, *lines[len(lines) - rest :]]
    if place + rest >= len(lines):
        kept = lines
    return "".join(f"{line}\n" for line in kept)


def edit(file: Path, changes: str) -> None:
    """Change lines of a file as a block of ``diff`` says."""
    text = file.read_text("utf-8")
    for old, new in re.findall(r"^-(.*)\n((?:^\+.*\n)+)", changes, re.MULTILINE):
        if text.count(old) != 1:
            raise ValueError(f"{old!r} does not stand once in {file}")
        text = text.replace(old, re.sub(r"^\+", "", new, flags=re.MULTILINE).rstrip())
    file.write_text(text, "utf-8")


def lasting(text: str) -> list[str]:
    """The lines of a page, without what is another in every run."""
    return [VARYING.sub("*", line) for line in text.splitlines()]


def followed(text: str, language: str) -> str:
    """A page's text with the outputs that its commands have in the folder where this is called."""
    output: str | None = None

    def block(found: re.Match[str]) -> str:
        nonlocal output
        kind, title, content = found[1], found[2], found[3]
        if kind == "diff":
            edit(Path(title), content)
        elif title:
            Path(title).write_text(content, encoding="utf-8")
        elif kind == "sh":
            output = "".join(run_command(line, language) for line in content.splitlines())
        elif kind == "python":
            said = io.StringIO()
            with contextlib.redirect_stdout(said), use_language(language):
                exec(content, {})
            output = said.getvalue()
        elif kind == "text":
            if output is None:
                raise ValueError(f"an output without commands:\n{content}")
            text, output = shown(output, content), None
            return f"```text\n{text}```"
        return found[0]

    return BLOCK.sub(block, text)


def follow_all(language: str) -> Iterator[tuple[Path, str]]:
    """Each page of a language with its text as the program now gives it, in a new folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for english in followed_pages():
                page = english if language == "en" else twin(english)
                yield page, followed(page.read_text("utf-8"), language)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    for each in ("en", "zh"):
        for path, new in follow_all(each):
            if lasting(new) != lasting(path.read_text("utf-8")):
                path.write_text(new, "utf-8")
