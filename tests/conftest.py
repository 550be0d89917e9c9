"""Settings of all tests."""

import os

from hypothesis import settings

# No test asserts on time. Where a run must be repeatable, every run tries the same examples.
settings.register_profile("drgcore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "drgcore")
