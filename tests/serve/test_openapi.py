"""Whatever is sent to the calls that the OpenAPI document describes, nothing ends in a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from drgcore.serve import Settings, create_app
from drgcore.serve.pages.grouping import ARROW

from .conftest import client_of

# What is made up for this type is sent as it is.
schemathesis.serializer(ARROW)(lambda context, value: value)

APP = create_app(Settings(names=("testserver",), max_rows=50, max_body=1 << 20))
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)


@pytest.fixture(scope="module", autouse=True)
def running() -> Iterator[None]:
    """The application with its store of batches."""
    with TestClient(APP):
        yield


@SCHEMA.parametrize()
@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_call_ends_in_a_500(case):
    case.call_and_validate(checks=[not_a_server_error])


def test_the_document_names_the_calls():
    paths = client_of().get("/openapi.json").json()["paths"]
    named = {
        "/group",
        "/explain",
        "/what-if",
        "/estimate",
        "/check",
        "/batch",
        "/schemes",
        "/codes",
    }
    assert named <= paths.keys()
    assert ARROW in str(paths["/group"])
