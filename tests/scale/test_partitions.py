"""What runs in a worker, without Spark: batches of a partition in, batches of results out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import drgcore
from drgcore import DrgcoreError, SchemeError, load_scheme
from drgcore.grouper.extras import Extras
from drgcore.scale import parcels
from drgcore.scale.parcels import SchemeParcel, grouper_in
from drgcore.scale.partitions import group_batches, joined
from drgcore.schemes import Scheme
from tests.scale.helpers import texts


def test_small_batches_are_joined_in_order() -> None:
    batches = [pa.RecordBatch.from_pydict({"a": list(range(n, n + 3))}) for n in (0, 3, 6)]
    batches.insert(1, batches[0].slice(0, 0))
    found = list(joined(batches, rows=5))
    assert [batch.num_rows for batch in found] == [6, 3]
    assert [n for batch in found for n in batch["a"].to_pylist()] == list(range(9))
    assert list(joined([batches[1]])) == []


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_partition_is_grouped_as_a_table_is(size: int) -> None:
    cases = drgcore.sample_cases(60, dirty=0.5, seed=3)
    extras = Extras(names=True, severity_codes=True, stamp=True)
    parcel = SchemeParcel.of("chs-drg-3.0")
    resolved = grouper_in(parcel, False, False, extras).resolve("canonical", cases.schema)
    found = group_batches(
        cases.to_batches(max_chunksize=size),
        parcel=parcel,
        resolved=resolved,
        keep=["case_id"],
        prefix="new_",
        clinical_codes=False,
        restore_zeros=False,
        extras=extras,
    )
    expected = drgcore.group(
        cases, columns=["case_id"], prefix="new_", names=True, severity_codes=True, stamp=True
    )
    assert pa.Table.from_batches(list(found)).to_pydict() == texts(expected).to_pydict()


def test_a_partition_without_cases_loads_no_scheme() -> None:
    empty = drgcore.sample_cases(0).to_batches()
    unopened = SchemeParcel("none", (), b"no pickle", "0")
    work = group_batches(
        empty,
        parcel=unopened,
        resolved=None,
        keep=[],
        prefix="",
        clinical_codes=False,
        restore_zeros=False,
        extras=Extras(),
    )
    assert list(work) == []


def test_a_scheme_that_is_not_shipped_travels_with_its_tables(tmp_path: Path) -> None:
    shipped = load_scheme("chs-drg-3.0")
    drgs = shipped.tables["drg"]
    changed = {**shipped.tables, "drg": drgs.set_column(1, "name", drgs["code"])}
    parcel = SchemeParcel.of(Scheme("mine", changed, {"digest": "x"}))
    opened = parcel.open()
    assert isinstance(opened, Scheme)
    assert opened.name_of("ES23") == "ES23"
    assert SchemeParcel.of(shipped).body == b""
    assert SchemeParcel.of("by-date").open() == drgcore.load_calendar("by-date")


def test_workers_of_another_version_or_with_other_tables_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parcel = SchemeParcel.of("chs-drg-3.0")
    with pytest.raises(SchemeError, match="another scheme of the name"):
        SchemeParcel(parcel.name, (("chs-drg-3.0", "0"),), b"", parcel.version).open()
    monkeypatch.setattr(parcels, "program_version", lambda: "9.9")
    with pytest.raises(DrgcoreError, match=r"a worker 9\.9"):
        parcel.open()
