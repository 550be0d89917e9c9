"""What a hospital is paid: allocation to the fen, point value, month, pool, year end, ledger."""

from drgcore.budget.adjustments import Adjustment, adjustments_of_sanctions
from drgcore.budget.allocate import allocate
from drgcore.budget.closing import ClosedMonth, close_month
from drgcore.budget.earned import tally_points
from drgcore.budget.explain import explain_payment
from drgcore.budget.ledger import Ledger
from drgcore.budget.month import Month
from drgcore.budget.month_end import MonthSettlement, settle_month
from drgcore.budget.on_top import on_top_amounts, with_on_top
from drgcore.budget.pointvalue import PointValue, point_value
from drgcore.budget.policy_terms import terms_of
from drgcore.budget.tables import show
from drgcore.budget.tally import Tally, add_tallies, tally
from drgcore.budget.terms import Terms
from drgcore.budget.year_end import ClosedYear, YearSettlement, close_year, settle_year

__all__ = [
    "Adjustment",
    "ClosedMonth",
    "ClosedYear",
    "Ledger",
    "Month",
    "MonthSettlement",
    "PointValue",
    "Tally",
    "Terms",
    "YearSettlement",
    "add_tallies",
    "adjustments_of_sanctions",
    "allocate",
    "close_month",
    "close_year",
    "explain_payment",
    "on_top_amounts",
    "point_value",
    "settle_month",
    "settle_year",
    "show",
    "tally",
    "tally_points",
    "terms_of",
    "with_on_top",
]
