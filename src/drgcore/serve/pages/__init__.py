"""The pages, in the order of the menu."""

from drgcore.serve.pages import (
    about,
    batch,
    batches,
    browser,
    catalogue,
    dashboard,
    grouping,
    home,
    in_house,
    one_case,
    settlement,
)

PAGES = (
    home.views,
    one_case.views,
    batches.views,
    browser.views,
    dashboard.views,
    settlement.views,
    catalogue.views,
    in_house.views,
    about.views,
)
"""The views of each page's module."""

CALLS = (grouping.router, batch.router)
"""What is for programs alone."""
