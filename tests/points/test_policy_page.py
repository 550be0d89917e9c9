"""docs/policy.md: its tables are the models', its examples parts of a policy."""

from __future__ import annotations

import re
import runpy
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from drgcore.points import policy_sentences
from drgcore.points.policy import build
from drgcore.points.policy_file import merge
from drgcore.points.reference import parts_of_policy
from tests.points.regions import SMALL

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "policy.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_tables_are_those_of_the_models() -> None:
    page = runpy.run_path(str(DOCS / "policy_tables.py"))
    assert page["with_tables"](PAGE) == PAGE, "run python docs/policy_tables.py"
    assert re.findall(r"<!-- tables of (\S+) -->", PAGE) == parts_of_policy()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_part_of_a_policy(example: str) -> None:
    change = tomllib.loads(example, parse_float=Decimal)
    base = dict(SMALL)
    if "pieces" in change.get("outliers", {}):
        base.pop("outliers")
    if "quality_money" in change:
        change["budget"] = {"prepayment": "0.90"}
    policy, problems = build(merge(base, change))
    assert policy is not None, [str(problem) for problem in problems]
    assert policy_sentences(policy)
