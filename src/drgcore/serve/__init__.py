"""The workbench in the browser and its API (extra `serve`)."""

from drgcore.serve.app import create_app
from drgcore.serve.settings import Settings

__all__ = ["Settings", "create_app"]
