"""The reserve and the accounts beside it, as moves that add up."""

from __future__ import annotations

from collections.abc import Mapping

from drgcore.budget.allocate import allocate
from drgcore.budget.pool_terms import FundShare

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


def share_with_fund(
    rule: FundShare | None, accounts: Accounts, budget_fen: int, item_cost_fen: int
) -> tuple[str, int]:
    """Share the difference of budget and cost by item with the fund: A' = F + s·(A − F).

    Parameters
    ----------
    rule : FundShare or None
        The rule; None: nothing is shared.
    accounts : Accounts
        The pool's accounts. The fund's part of a surplus moves to the reserve; that of a deficit is
        taken from the account that the rule names, as far as it reaches.
    budget_fen, item_cost_fen : int
        A and F [fen].

    Returns
    -------
    account : str
        The account.
    moved : int
        A' − A [fen].

    Examples
    --------
    >>> from fractions import Fraction
    >>> half = FundShare(Fraction(1, 2), Fraction(1, 2))
    >>> share_with_fund(half, Accounts(10), 100, 60), share_with_fund(half, Accounts(10), 60, 100)
    (('reserve', -20), ('reserve', 10))
    """
    if rule is None:
        return RESERVE, 0
    share = rule.surplus if budget_fen >= item_cost_fen else rule.deficit
    _, fund = allocate(abs(budget_fen - item_cost_fen), [share, 1 - share])
    if budget_fen >= item_cost_fen:
        accounts.move(RESERVE, "surplus shared with the fund", fund)
        return RESERVE, -fund
    moved = min(fund, max(accounts.holds(rule.paid_from), 0))
    accounts.move(rule.paid_from, "deficit shared by the fund", -moved)
    return rule.paid_from, moved
