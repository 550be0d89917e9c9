"""Settings of all tests."""

import os

from hypothesis import HealthCheck, settings

# No test asserts on time, nor on how fast examples are made: a busy machine is no fault. Where a
# run must be repeatable, every run tries the same examples.
_ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("drgcore", **_ANY_SPEED)
settings.register_profile("ci", **_ANY_SPEED, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "drgcore")
