"""Parameters that a .toml file of their own gives, beside those of a policy."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from drgcore.errors import DrgcoreError
from drgcore.language import _
from drgcore.points.parameters import Model
from drgcore.points.problems import problems_of


class TomlModel(Model):
    """Parameters that are read from a text or a file of TOML."""

    @classmethod
    def read(cls, text: str, where: str = "the text") -> Self:
        """Read the parameters from TOML; those that it leaves out have their defaults.

        Parameters
        ----------
        text : str
            TOML.
        where : str
            What messages call it.

        Raises
        ------
        DrgcoreError
            Names what is wrong, and what is not filled in.
        """
        try:
            return cls.model_validate(tomllib.loads(text, parse_float=Decimal))
        except tomllib.TOMLDecodeError as error:
            raise DrgcoreError(_("it is no TOML: {error}", error=error), where=where) from error
        except ValidationError as error:
            problems = problems_of(error, cls)
            raise DrgcoreError("; ".join(map(str, problems)), where=where) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the parameters from a file, see `read`."""
        try:
            text = Path(path).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DrgcoreError(_("it cannot be read as UTF-8 text"), where=str(path)) from error
        return cls.read(text, str(path))
