"""Samples for a scheme with local variables have what its rules ask for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from drgcore.grouper import group
from drgcore.grouper.coverage import Draft, group_drafts
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.synthetic import sample, sample_cases, write_sample
from drgcore.synthetic.people import people_of
from drgcore.synthetic.region import region_of
from drgcore.synthetic.sample import SAMPLE_SCHEMA
from drgcore.synthetic.templates import templates_of

CUTS = (
    "ZYTS > 60",
    "ZYTS <= 3 and LYFS = 1",
    "LYFS = 2 or LYFS = 3",
    "ICUSC >= 96",
    "CYKB in DEPT_X",
    "not ZYTS >= 0",
)


@pytest.fixture(scope="module")
def city() -> Scheme:
    """Every hundredth group of the national plan cut in two by a local condition."""
    base = load_scheme("chs-drg-1.1")
    rows = {name: table.to_pylist() for name, table in base.tables.items()}
    named = [row for row in rows["drg"] if row["name"]][::100]
    assert len(named) > len(CUTS)
    for row in rows["drg"]:
        row["sort"] *= 2
    for i, row in enumerate(named):
        cut = CUTS[i % len(CUTS)]
        rule = f"({row['rule']}) and ({cut})" if row["rule"] else cut
        local = {"code": f"{row['code']}L", "rule": rule, "sort": row["sort"] - 1}
        rows["drg"].append({**row, **local})
    rows["sets"] += [{"set_id": "DEPT_X", "code": code} for code in ("ICU", "重症医学科")]
    return Scheme(
        "city",
        {n: pa.Table.from_pylist(rows[n], schema=schema) for n, schema in TABLE_SCHEMAS.items()},
    )


def test_a_sample_has_the_columns_that_are_asked_for(city: Scheme, tmp_path: Path) -> None:
    cases = sample_cases(3000, city, seed=2)
    assert cases.schema.names == [*SAMPLE_SCHEMA.names, "icu_hours"]
    write_sample(tmp_path / "cases.parquet", 3000, city, seed=2)
    assert pq.read_table(tmp_path / "cases.parquet").equals(cases)
    assert sample_cases(0, city).schema == cases.schema
    assert set(pc.unique(cases["leaving_way"]).to_pylist()) <= set(range(1, 10))
    soiled = sample_cases(3000, city, seed=2, dirty=0.5)
    assert soiled.schema == cases.schema
    assert "invalid" in group(soiled, city)["status"].cast(pa.string()).to_pylist()
    # The dates belong to the days.
    stays = pc.days_between(cases["admission_date"], cases["discharge_date"])
    there = pc.is_valid(cases["length_of_stay"])
    assert stays.filter(there).to_pylist() == cases["length_of_stay"].filter(there).to_pylist()


def test_every_case_falls_into_its_templates_group(city: Scheme) -> None:
    templates = templates_of(city)
    codes = np.array(templates.tables.drg_codes)
    assert sum(code.endswith("L") for code in codes[templates.groups]) >= len(CUTS)
    region = region_of(templates, 12)
    block = sample._Block(templates, region, 2027, 0, 20_000, np.random.default_rng(1))
    people = people_of(templates, 12)
    batch = block.batch(people, np.random.default_rng(2))
    result = group(pa.Table.from_batches([batch]), city)
    meant = codes[templates.drg[block.template]]
    assert result["drg"].cast(pa.string()).to_pylist() == meant.tolist()
    # Each local number may be varied up to its top.
    tops = {name: values.tolist() for name, values in templates.local_top.items()}
    highest = [
        Draft(**{**_fields(draft), **{name: tops[name][i] for name in tops}})
        for i, draft in enumerate(templates.drafts)
    ]
    assert group_drafts(templates.tables, highest).drg.tolist() == templates.drg.tolist()


def test_only_a_group_for_cases_without_a_value_has_cases_without_it(city: Scheme) -> None:
    templates = templates_of(city)
    codes = np.array(templates.tables.drg_codes)
    rule = {d.code: str(d.rule) for d in city.drgs}
    without = set(codes[templates.drg[templates.column("length_of_stay") < 0]])
    assert without
    assert all("not ZYTS >= 0" in rule[code] for code in without)


def _fields(draft: Draft) -> dict[str, object]:
    return {name: getattr(draft, name) for name in Draft.__slots__}
