"""The pages, in the order of the menu."""

from drgcore.serve.pages import about

PAGES = (about.views,)
"""The views of each page's module."""
