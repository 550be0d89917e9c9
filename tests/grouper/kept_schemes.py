"""Random schemes that stand in a file: what they reach is certain, so that tests can ask for it.

What hypothesis draws from one seed changes with its version and with the modules that are loaded.
``python -m tests.grouper.kept_schemes`` draws others, after the language of rules has grown.
"""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.grouper.strategies import SchemeRows, schemes

FILE = Path(__file__).parent / "data" / "random_schemes.json"
KEPT = 30
# The first draws of a run are the simplest.
_LEFT_OUT = 20


def kept_schemes(local: bool = False) -> list[SchemeRows]:
    """The kept schemes of the official language, or those with local variables."""
    found = json.loads(FILE.read_text(encoding="utf-8"))["local" if local else "official"]
    return [{table: [tuple(r) for r in rows] for table, rows in one.items()} for one in found]


def _drawn(local: bool) -> list[SchemeRows]:
    found: list[SchemeRows] = []

    @seed(20270101)
    @settings(
        max_examples=8 * KEPT,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schemes(local=local))
    def keep(rows: SchemeRows) -> None:
        found.append(rows)

    keep()
    return found[_LEFT_OUT::7][:KEPT]


if __name__ == "__main__":
    drawn = {"official": _drawn(False), "local": _drawn(True)}
    lines = [
        f' "{name}": [\n' + ",\n".join(json.dumps(one, ensure_ascii=False) for one in of) + "\n ]"
        for name, of in drawn.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
