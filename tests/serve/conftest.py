"""Clients of the application."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from drgcore.serve import Settings, create_app

TOKEN = "a token for tests alone"
HTML = {"accept": "text/html"}


def client_of(settings: Settings | None = None, **options: object) -> TestClient:
    """A client of an application with these settings."""
    options = {"base_url": "http://localhost", "raise_server_exceptions": False, **options}
    return TestClient(create_app(settings), **options)


@pytest.fixture
def client() -> TestClient:
    """A client on the same machine."""
    return client_of()


@pytest.fixture
def guarded() -> TestClient:
    """A client of a server that asks for a token."""
    return client_of(Settings(token=TOKEN))
