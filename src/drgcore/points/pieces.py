"""Pieces over C/m as texts: their intervals and formulas, for sentences, reasons, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from drgcore.language import _
from drgcore.points.outlier_rules import Piece
from drgcore.points.wording import number
from drgcore.rounding import round_half_up


def piece_texts(pieces: Sequence[Piece]) -> list[str]:
    """Write pieces over C/m, each as its interval and its formula.

    Parameters
    ----------
    pieces : sequence of Piece
        The pieces of a policy, in order.

    Returns
    -------
    list of str
        One text a piece.

    Examples
    --------
    >>> low = {"up_to": "0.4", "limit": "next", "case_class": "low_cost", "k": "none"}
    >>> rest = Piece.model_validate({"case_class": "normal", "a": 1, "b": 0, "k": "times"})
    >>> piece_texts([Piece.model_validate({**low, "a": 0, "b": 1, "cap": "P·k"}), rest])
    ['C/m < 0.4: P·C/m, at most P·k', '0.4 ≤ C/m: P·k']
    """
    texts = []
    before: Piece | None = None
    for piece in pieces:
        low = high = ""
        if before is not None:
            low = f"{number(before.up_to)} {'<' if before.limit == 'this' else '≤'} "
        if piece.up_to is not None:
            high = f" {'≤' if piece.limit == 'this' else '<'} {number(piece.up_to)}"
        texts.append(
            _(
                "{low}C/m{high}: {piece_formula}",
                low=low,
                high=high,
                piece_formula=piece_formula(piece),
            )
        )
        before = piece
    return texts


def piece_formula(piece: Piece) -> str:
    """Write the formula of a piece.

    Parameters
    ----------
    piece : Piece
        The piece.

    Returns
    -------
    str
        The formula, with its cap.

    Examples
    --------
    >>> piece_formula(Piece.model_validate({"case_class": "low_cost", "a": "0.2", "b": 1,
    ...     "k": "times", "cap": "P"}))
    'P·(C/m + 0.2)·k, at most P'
    """
    if piece.rule == "outside":
        return _("outside the points")
    if piece.rule == "by_cost":
        return _("by cost")
    times = {"times": "·k", "plus": "", "none": "", None: ""}[piece.k]
    x = piece.x if piece.b == 1 else f"{number(piece.b)}·{piece.x}"
    if not piece.b:
        inner = "" if piece.a == 1 else f"·{number(piece.a)}"
        inner = inner if (piece.a or 0) >= 0 else f"·(−{number(-(piece.a or Decimal(0)))})"
    elif not piece.a:
        inner = f"·{x}"
    else:
        sign = "+" if piece.a > 0 else "−"
        inner = f"·({x} {sign} {number(abs(piece.a))})"
    text = f"P{inner}{times}"
    if piece.k == "plus":
        text = f"P·k + {text}"
    if piece.cap == "none":
        return text
    multiple = "" if piece.cap_multiple == 1 else f"{number(piece.cap_multiple)}·"
    what = _("what is added at most") if piece.k == "plus" else _("at most")
    return f"{text}, {what} {multiple}{piece.cap}"


def piece_points(piece: Piece, base: float, k: float, x: float, added: float, places: int) -> float:
    """Compute the points of a case from its columns and its piece.

    Parameters
    ----------
    piece : Piece
        The piece, with a formula.
    base, k, x, added : float
        The case's base points, coefficient, multiple and added points.
    places : int
        Decimals of points.

    Returns
    -------
    float
        The points, not yet rounded.

    Examples
    --------
    >>> piece = Piece.model_validate({"case_class": "low_cost", "a": "0.2", "b": 1, "k": "times"})
    >>> round(piece_points(piece, 120, 1, 0.41, 0, 4), 4)
    73.2
    """
    if piece.k == "plus":
        return float(round_half_up(base * k, places)) + added
    part = base * (float(piece.a or 0) + float(piece.b or 0) * x)
    part *= k if piece.k == "times" else 1.0
    if piece.cap != "none":
        part = min(part, float(piece.cap_multiple) * base * (k if piece.cap == "P·k" else 1.0))
    return max(part, 0.0)
