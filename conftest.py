"""Settings of all tests and examples."""

import os
from collections.abc import Iterator

import pytest

# Tests and examples are in English, whatever the language of the machine.
os.environ["DRGCORE_LANG"] = "en"


@pytest.fixture(autouse=True)
def _one_language() -> Iterator[None]:
    yield
    from drgcore.language import set_language

    set_language(None)
