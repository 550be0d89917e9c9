"""Fixtures of the tests of migrations."""

from tests.grouper.conftest import small_dictionaries
from tests.schemes.conftest import rows

__all__ = ["rows", "small_dictionaries"]
