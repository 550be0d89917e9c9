"""The lines of an explained statement: a key that programs know, a text that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from drgcore.budget.allocate import yuan
from drgcore.budget.formula import Formula, broken, equation, padded, shown_amount
from drgcore.dates import period_text
from drgcore.language import _, word

Kind = Literal["amount", "points", "formula", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a hospital's statement.

    Parameters
    ----------
    key : str
        What it is, the same in every language, such as ``prepaid``; a formula has that of the
        amount above it.
    kind : {"amount", "points", "formula", "note"}
        An amount of money; cases with their points; how the amount above was found; or words.
    text : str
        What it is, in the language that was spoken; of a formula the whole equation, which has the
        same numbers and signs in every language.
    amount : str, optional
        The amount as printed: yuan, or points.
    cases : int, optional
        How many cases have the points.
    article : str, optional
        The article of the policy that the step follows.
    inner : bool
        Whether it is a part of the lines before.
    """

    key: str
    kind: Kind
    text: str
    amount: str | None = None
    cases: int | None = None
    article: str | None = None
    inner: bool = False


@dataclass(frozen=True)
class StatementPart:
    """A hospital's statement in one pool, as lines.

    Parameters
    ----------
    hospital, period, pool : str
        Whose it is: the hospital, ``2027-01`` or ``2027``, the pool.
    lines : tuple of Line
        Its lines, in order.
    """

    hospital: str
    period: str
    pool: str
    lines: tuple[Line, ...]


def stated(
    key: str,
    text: str,
    amount_fen: int,
    formula: Formula | None = None,
    *,
    article: str | None = None,
    inner: bool = False,
) -> Iterator[Line]:
    """State an amount of whole fen and, under it, its formula.

    Parameters
    ----------
    key, text, article, inner
        See `Line`.
    amount_fen : int
        The amount [fen].
    formula : Formula, optional
        How it was found.

    Examples
    --------
    >>> [line.text for line in stated("due", "balance due", 3334, Formula("100 ÷ 3", 100 / 3))]
    ['balance due', '100 ÷ 3 = 33.34 (largest remainder + 0.01)']
    """
    yield Line(key, "amount", text, yuan(amount_fen), article=article, inner=inner)
    if formula is not None:
        yield Line(key, "formula", equation(formula, amount_fen), inner=True)


def printed(parts: Iterable[StatementPart]) -> str:
    """Print statements for reading: amounts at the right margin, formulas broken at operators.

    Parameters
    ----------
    parts : iterable of StatementPart
        The statements.

    Returns
    -------
    str
        Their lines.

    Examples
    --------
    >>> due = Line("due", "amount", "balance due", "1.00", article="§ 3")
    >>> print(printed([StatementPart("H1", "2027", "resident", (due,))]))
    H1 · 2027 · pool resident
      balance due [§ 3]                                                     1.00
    """
    lines: list[str] = []
    for part in parts:
        pool = _("pool {name}", name=word(part.pool))
        lines.append(f"{part.hospital} · {period_text(part.period)} · {pool}")
        lines += map(_line, part.lines)
    return "\n".join(lines)


def _line(line: Line) -> str:
    if line.kind == "formula":
        return broken(line.text)
    article = f" [{line.article}]" if line.article else ""
    text = ("  " if line.inner else "") + line.text + article
    if line.kind == "note":
        return f"  {text}"
    assert line.amount is not None
    if line.kind == "amount":
        return shown_amount(text, line.amount)
    cases = _("{n:,} cases", n=line.cases)
    return f"  {padded(text, 42)}{padded(cases, -15)}{line.amount:>21}"
