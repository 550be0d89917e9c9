"""A policy file as it is filled in, and as it is written with its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from drgcore.errors import PolicyError
from drgcore.files import whole_file
from drgcore.language import _
from drgcore.points.problems import ASKED, Problem


@dataclass(frozen=True)
class HistoryPolicy:
    """A policy file made from history.

    Parameters
    ----------
    text : str
        The policy file, with the comments of the preset.
    tables : dict of str to pandas.DataFrame
        The tables that it names, by file name.
    copied : dict of str to Path
        Files that the preset names and the policy keeps.
    filled : tuple of str
        What history gave, as sentences.
    left : tuple of str
        What it could have given and did not, and why.
    problems : tuple of Problem
        What is still to be filled in, as `check_policy` has it.
    """

    text: str
    tables: dict[str, pd.DataFrame]
    copied: dict[str, Path]
    filled: tuple[str, ...]
    left: tuple[str, ...]
    problems: tuple[Problem, ...]

    def write(self, path: str | Path) -> list[Path]:
        """Write the policy file and its tables beside it; the policy last.

        Parameters
        ----------
        path : str or Path
            The policy file; its folder is made if it is not there.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        PolicyError
            If any of the files is there already; then nothing is written. Tables with these very
            bytes, as a run that was stopped leaves them, are kept.
        """
        file = Path(path)
        tables = {
            **{name: table.to_csv(index=False).encode() for name, table in self.tables.items()},
            **{name: origin.read_bytes() for name, origin in self.copied.items()},
        }
        contents = {file.parent / name: content for name, content in tables.items()}
        there = [p for p, content in contents.items() if p.exists() and p.read_bytes() != content]
        if file.exists() or there:
            raise PolicyError(
                _("it is there already"),
                where=str((there or [file])[0]),
                hint=_("take another name"),
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        for target, content in contents.items():
            with whole_file(target) as part:
                part.write_bytes(content)
        with whole_file(file) as part:
            part.write_text(self.text, "utf-8")
        return [*contents, file]


@dataclass
class Draft:
    """The file as it is filled in."""

    name: str
    document: Any
    keep: bool
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def is_open(self, value: Any) -> bool:
        """Whether history may fill a value in: it is empty, or invented."""
        return not self.keep or value in (None, "", ASKED) or not value
