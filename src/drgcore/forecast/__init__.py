"""Monthly shares of a coming year: totals by month, forecasts, what they were worth."""

from drgcore.forecast.backtest import backtest_shares, backtest_summary
from drgcore.forecast.festival import spring_festival
from drgcore.forecast.monthly import monthly_totals
from drgcore.forecast.shares import METHODS, ShareForecast, forecast_shares

__all__ = [
    "METHODS",
    "ShareForecast",
    "backtest_shares",
    "backtest_summary",
    "forecast_shares",
    "monthly_totals",
    "spring_festival",
]
