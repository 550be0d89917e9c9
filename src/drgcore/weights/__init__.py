"""What history says: monthly totals and each month's share of a coming year."""

from drgcore.weights.backtest import backtest_shares, backtest_summary
from drgcore.weights.festival import spring_festival
from drgcore.weights.forecast import METHODS, ShareForecast, forecast_shares
from drgcore.weights.monthly import monthly_totals

__all__ = [
    "METHODS",
    "ShareForecast",
    "backtest_shares",
    "backtest_summary",
    "forecast_shares",
    "monthly_totals",
    "spring_festival",
]
