"""The names of the room, each once; `__init__.py` imports them with their first use."""

from .app import create_app as create_app
from .settings import Settings as Settings
