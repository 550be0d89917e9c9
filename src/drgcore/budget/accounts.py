"""The reserve and the accounts beside it, as moves that add up."""

from __future__ import annotations

from collections.abc import Mapping

from drgcore.budget.allocate import allocate

RESERVE = "reserve"
"""The account on the other side of what is decided later, unless another one is named."""


class Accounts:
    """What one pool's accounts hold, and every move of them in order.

    Parameters
    ----------
    reserve_fen : int
        What the reserve opens with [fen].
    others_fen : mapping of str to int
        What other accounts of the policy open with [fen].

    Examples
    --------
    >>> accounts = Accounts(100, {"balance": 50})
    >>> accounts.pay("balance", "money on top", {"A": 60, "B": 40})
    {'A': 30, 'B': 20}
    >>> accounts.holds("balance"), accounts.taken()
    (0, {'balance': 50})
    """

    def __init__(self, reserve_fen: int, others_fen: Mapping[str, int] | None = None) -> None:
        self.moves: dict[str, dict[str, int]] = {RESERVE: {"opening": reserve_fen}}
        for name, amount in (others_fen or {}).items():
            self.moves[name] = {"opening": amount}

    def move(self, account: str, item: str, amount_fen: int) -> None:
        """Add to an account, or take from it where the amount is negative [fen]."""
        moves = self.moves[account]
        moves[item] = moves.get(item, 0) + amount_fen

    def holds(self, account: str) -> int:
        """Give what an account holds [fen]."""
        return sum(self.moves[account].values())

    def pay(self, account: str, item: str, claims: Mapping[str, int]) -> dict[str, int]:
        """Meet claims out of an account, in proportion where it does not reach [fen]."""
        names = list(claims)
        given = min(sum(claims.values()), max(self.holds(account), 0))
        parts = allocate(given, [claims[name] for name in names], names)
        self.move(account, item, -given)
        return dict(zip(names, parts, strict=True))

    def taken(self) -> dict[str, int]:
        """Give what every account but the reserve paid in all [fen]."""
        return {
            name: moves["opening"] - sum(moves.values())
            for name, moves in self.moves.items()
            if name != RESERVE
        }
