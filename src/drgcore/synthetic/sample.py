"""Draws synthetic cases and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from drgcore.cases import CANONICAL_SCHEMA, LOCAL_SCHEMA, CodeIndex
from drgcore.cases.fees import FEE_COLUMNS
from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.grouper.recipes import Numbers
from drgcore.language import _
from drgcore.progress import step
from drgcore.schemes import Scheme, load_scheme
from drgcore.schemes.rules import FRACTIONAL, LOCAL_VARIABLES
from drgcore.synthetic.dirt import soil
from drgcore.synthetic.people import People, people_columns, people_of
from drgcore.synthetic.plausible import codes_of
from drgcore.synthetic.region import LEVELS, POOLS, Region, region_of
from drgcore.synthetic.templates import Templates, templates_of

BLOCK_ROWS = 131_072

SAMPLE_SCHEMA = pa.schema(
    [
        ("case_id", pa.string()),
        ("hospital", pa.string()),
        ("hospital_level", pa.string()),
        ("pool", pa.string()),
        ("admission_date", pa.date32()),
        ("discharge_date", pa.date32()),
        ("length_of_stay", pa.int32()),
        *((f.name, f.type) for f in CANONICAL_SCHEMA),
        ("total_cost", pa.float64()),
        ("patient_paid", pa.float64()),
        ("department", pa.string()),
        ("doctor_id", pa.string()),
        ("patient_id", pa.string()),
        ("leaving_way", pa.int8()),
        *((name, pa.float64()) for name in FEE_COLUMNS),
    ]
)
"""Columns of a sample: who and when, the canonical columns, cost and the patient's part in yuan,
department, doctor and patient, the way of leaving, and the cost by categories of fees in yuan.

A sample for a scheme with local variables also has the columns of `LOCAL_SCHEMA` that they ask for.
"""


def sample_cases(
    rows: int,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    seed: int = 0,
    year: int = 2027,
    hospitals: int = 12,
    dirty: float = 0.0,
) -> pa.Table:
    """Draw synthetic inpatient cases.

    Parameters
    ----------
    rows : int
    scheme : str, Path or Scheme, default "chs-drg-3.0"
        The scheme whose groups the cases shall reach.
    seed : int, default 0
        The same seed gives the same cases.
    year : int, default 2027
        Year of discharge.
    hospitals : int, default 12
        Number of hospitals, of three levels.
    dirty : float, default 0
        Share of rows, from 0 to 1, that get a fault as real files have them: missing or unknown
        codes, no sex, an age of 999, full-width and lower-case codes, and so on.

    Returns
    -------
    pyarrow.Table
        With the columns of `SAMPLE_SCHEMA`. All numbers are made up; they describe no region.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(1000, seed=1)
    >>> drgcore.group(cases)["status"].value_counts()[0].as_py()["values"]
    'grouped'
    """
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    blocks = list(_blocks(rows, scheme, seed, year, hospitals, dirty))
    return pa.Table.from_batches(blocks, _schema(scheme))


def write_sample(
    path: str | Path,
    rows: int,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    seed: int = 0,
    year: int = 2027,
    hospitals: int = 12,
    dirty: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw synthetic cases into a parquet file, of any number, with flat memory.

    Parameters
    ----------
    path : str or Path
        Ends in ``.parquet`` or ``.pq``. Written next to its name and renamed when whole.
    rows, scheme, seed, year, hospitals, dirty
        As for `sample_cases`, which draws the same cases.
    progress : callable, optional
        Called with the rows written so far and the number of all.

    Raises
    ------
    DrgcoreError
        When a number is out of its range, the path has another ending, or the file cannot be
        written.

    Examples
    --------
    >>> import drgcore, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cases.parquet"
    >>> drgcore.write_sample(path, rows=1000, seed=1)
    >>> drgcore.group_file(path, path.with_name("grouped.parquet")).rows
    1000
    """
    target = Path(path)
    if target.suffix.lower() not in (".parquet", ".pq"):
        raise DrgcoreError(
            _(
                "{target}: a sample is written as parquet, not as {suffix!r}",
                target=target,
                suffix=target.suffix or _("no kind"),
            ),
            hint=_("Name it with the ending .parquet."),
        )
    done = 0
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    blocks = _blocks(rows, scheme, seed, year, hospitals, dirty)
    with (
        whole_file(target) as part,
        pq.ParquetWriter(part, _schema(scheme)) as writer,
        step(_("drawing cases"), _("cases"), rows) as drawn,
    ):
        for block in blocks:
            writer.write_batch(block)
            done += block.num_rows
            drawn.update(done)
            if progress is not None:
                progress(done, rows)


def _schema(scheme: Scheme) -> pa.Schema:
    """The columns of a sample for this scheme."""
    local = scheme.local_columns.values()
    return pa.schema(
        [
            *SAMPLE_SCHEMA,
            *(f for f in LOCAL_SCHEMA if f.name in local and f.name not in SAMPLE_SCHEMA.names),
        ]
    )


def _blocks(
    rows: int, scheme: Scheme, seed: int, year: int, hospitals: int, dirty: float
) -> Iterator[pa.RecordBatch]:
    """Blocks of cases; each draws from its own stream of random numbers."""
    for name, value, fits in (
        ("rows", rows, rows >= 0),
        ("seed", seed, seed >= 0),
        ("year", year, 1990 <= year <= 2200),
        ("hospitals", hospitals, 1 <= hospitals <= 10_000),
        ("dirty", dirty, 0.0 <= dirty <= 1.0),
    ):
        if not fits:
            raise DrgcoreError(_("{name}={value} is out of range", name=name, value=value))
    templates = templates_of(scheme)
    region = region_of(templates, hospitals)
    people = people_of(templates, hospitals)
    for start in range(0, rows, BLOCK_ROWS):
        rng = np.random.default_rng([seed, start])
        size = min(BLOCK_ROWS, rows - start)
        others = np.random.default_rng([seed, start, 1])
        block = _Block(templates, region, year, start, size, rng).batch(people, others)
        yield soil(block, dirty, rng) if dirty else block


class _Block:
    """Some rows of a sample."""

    def __init__(
        self,
        templates: Templates,
        region: Region,
        year: int,
        start: int,
        rows: int,
        rng: np.random.Generator,
    ) -> None:
        self.templates, self.region, self.year = templates, region, year
        self.start, self.rows, self.rng = start, rows, rng
        self.group = rng.choice(len(region.group_share), rows, p=region.group_share)
        within = (rng.random(rows) * templates.count[self.group]).astype(np.int64)
        self.template = templates.first[self.group] + within

    def batch(self, people: People, others: np.random.Generator) -> pa.RecordBatch:
        tables = self.templates.tables
        hospital = self.rng.choice(
            len(self.region.hospital_share), self.rows, p=self.region.hospital_share
        )
        level = self.region.hospital_level[hospital]
        stay, cost = self._stay_and_cost(hospital)
        discharge = self._discharge_days()
        age, age_days, weight = self._ages()
        resident = np.where((age < 18) | (age > 62), 0.68, 0.42)
        pool = (self.rng.random(self.rows) < resident).astype(np.int64)
        paid = np.clip(self.rng.normal(0.24 + 0.07 * pool + 0.03 * (level == 0), 0.05), 0.05, 0.9)
        columns = {
            "case_id": self._ids(),
            "hospital": _labels(hospital, [f"H{i + 1:02d}" for i in range(hospital.max() + 1)]),
            "hospital_level": _labels(level, LEVELS),
            "pool": _labels(pool, POOLS),
            "admission_date": pa.array(discharge - stay).cast(pa.date32()),
            "discharge_date": pa.array(discharge).cast(pa.date32()),
            "length_of_stay": self._length_of_stay(stay),
            "principal_diagnosis": codes_of(
                tables.diagnoses, self.templates.column("principal_diagnosis")[self.template]
            ),
            "other_diagnoses": self._lists(
                tables.diagnoses,
                "other_diagnoses",
                self.templates.neutral_diagnoses,
                np.minimum(self.rng.poisson(3.2, self.rows), 14),
                14,
            ),
            "principal_procedure": codes_of(
                tables.procedures, self.templates.column("principal_procedure")[self.template]
            ),
            "other_procedures": self._other_procedures(),
            "sex": pa.array(self.templates.column("sex")[self.template], pa.int8()),
            "age_years": _number(age),
            "age_days": _number(age_days),
            "newborn_weight_g": _number(weight),
            "total_cost": pa.array(cost),
            "patient_paid": pa.array(np.round(cost * paid, 2)),
        }
        columns |= people_columns(people, self.group, hospital, columns, self.start, others)
        if "department" in tables.scheme.local_columns.values():
            columns["department"] = codes_of(
                tables.departments, self.templates.column("department")[self.template]
            )
        for variable, name in LOCAL_VARIABLES.items():
            if name in self.templates.local_top and name != "length_of_stay":
                top = self.templates.local_top[name]
                fractional = variable in FRACTIONAL
                columns[name] = _number(
                    self._share(name, top) if fractional else self._varied(name, top, 1.0)
                )
        schema = _schema(tables.scheme)
        return pa.RecordBatch.from_arrays(
            [columns[f.name].cast(f.type) for f in schema], schema=schema
        )

    def _ids(self) -> pa.Array:
        numbers = pa.array(np.arange(self.start, self.start + self.rows)).cast(pa.string())
        return pc.binary_join_element_wise(f"C{self.year}", pc.utf8_lpad(numbers, 9, "0"), "")

    def _stay_and_cost(
        self, hospital: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Days in hospital and yuan: log-normal about the group's means, longer stays dearer."""
        rng, rows = self.rng, self.rows
        shared, own = rng.standard_normal((2, rows))
        stay = self.region.mean_stay[self.group] * np.exp(0.45 * shared - 0.45**2 / 2)
        spread = np.exp(0.3 * shared + 0.32 * own - (0.3**2 + 0.32**2) / 2)
        # About one case in a hundred is far dearer than its group, and one far cheaper.
        unusual = rng.random(rows)
        spread *= np.where(unusual < 0.01, 3.0 + 4.0 * rng.random(rows), 1.0)
        spread *= np.where(unusual > 0.99, 0.15 + 0.25 * rng.random(rows), 1.0)
        cost = self.region.mean_cost[self.group] * self.region.hospital_cost[hospital] * spread
        days = np.clip(np.rint(stay), 1, 365).astype(np.int32)
        if "length_of_stay" in self.templates.local_top:
            # Within what the group's rules say, where they say something.
            low = self.templates.column("length_of_stay")[self.template]
            top = self.templates.local_top["length_of_stay"][self.template]
            days = np.where(low < 0, days, np.clip(days, low, top)).astype(np.int32)
        return days, np.round(np.maximum(cost, 50.0), 2)

    def _discharge_days(self) -> NDArray[np.int32]:
        """Days since 1970 of a day of the year, in months with their seasons."""
        upto = np.cumsum(self.region.months, axis=1)[self.group]
        month = (self.rng.random(self.rows)[:, None] > upto[:, :-1]).sum(axis=1)
        months = np.arange(f"{self.year}-01", f"{self.year + 1}-02", dtype="datetime64[M]")
        starts = months.astype("datetime64[D]").astype(np.int64)
        length = np.diff(starts)[month]
        return (starts[month] + (self.rng.random(self.rows) * length).astype(np.int64)).astype(
            np.int32
        )

    def _ages(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the template, varied up to where a comparison would change; -1 for none."""
        age = self._varied("age_years", self.templates.age_top, 0.8)
        days = self._varied("age_days", self.templates.days_top, 1.0)
        weight = self._varied("newborn_weight_g", self.templates.weight_top, 1.0)
        # A newborn's weight belongs to the first 28 days.
        return age, days, np.where((days >= 0) & (days < 29), weight, -1)

    def _varied(self, name: str, top: NDArray[np.int64], lean: float) -> NDArray[np.int64]:
        """A number of the template or above, up to its top; -1 for none."""
        low = self.templates.column(name)[self.template]
        room = top[self.template] - low
        return low + (self.rng.random(self.rows) ** lean * (room + 1)).astype(np.int64)

    def _share(self, name: str, top: NDArray[np.float64]) -> NDArray[np.float64]:
        """A share of the template or above, in hundredths of a percent; -1 for none."""
        low = self.templates.share(name)[self.template]
        drawn = np.round(low + self.rng.random(self.rows) * (top[self.template] - low), 4)
        return np.where(low < 0, low, np.clip(drawn, low, top[self.template]))

    def _length_of_stay(self, stay: NDArray[np.int32]) -> pa.Array:
        """The days between the dates; null in a group that only cases without them reach."""
        if "length_of_stay" not in self.templates.local_top:
            return pa.array(stay, pa.int32())
        absent = self.templates.column("length_of_stay")[self.template] < 0
        return pa.array(stay, pa.int32(), mask=absent)

    def _other_procedures(self) -> pa.Array:
        extra = np.where(
            self.templates.column("principal_procedure")[self.template] > 0,
            self.rng.poisson(0.7, self.rows),
            0,
        )
        return self._lists(
            self.templates.tables.procedures,
            "other_procedures",
            self.templates.neutral_procedures,
            extra,
            14,
        )

    def _lists(
        self,
        index: CodeIndex,
        name: str,
        neutral: NDArray[np.int32],
        wanted: NDArray[np.int64],
        most: int,
    ) -> pa.Array:
        """The template's list, filled up with neutral codes to the wanted length."""
        lengths, values = self.templates.lists(name)
        own = lengths[self.template]
        extra = np.clip(wanted - own, 0, most) if len(neutral) else np.zeros_like(own)
        total = own + extra
        offsets = np.concatenate([[0], np.cumsum(total)])
        ids = np.empty(offsets[-1], dtype=np.int32)
        inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], total)
        is_own = inside < np.repeat(own, total)
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])[self.template]
        ids[is_own] = values[(np.repeat(first, total) + inside)[is_own]]
        if len(neutral):
            ids[~is_own] = self._drawn(neutral, np.repeat(np.arange(self.rows), total)[~is_own])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), codes_of(index, ids))

    def _drawn(self, neutral: NDArray[np.int32], row: NDArray[np.int64]) -> NDArray[np.int32]:
        """A code for each place of these rows, in no row the same one twice."""
        # A few codes are common and many are rare.
        rank = (self.rng.random(len(row)) ** 4 * len(neutral)).astype(np.int64)
        # Those of one row stand together. One that is not above the one before it moves up.
        order = np.lexsort((rank, row))
        place = np.arange(len(row)) - np.searchsorted(row, row)
        # Strictly above the one before: r - place must not fall, so its running maximum is taken.
        lifted = np.maximum.accumulate(rank[order] - place + row * 2 * len(neutral))
        rank[order] = lifted + place - row * 2 * len(neutral)
        return neutral[rank % len(neutral)]


def _labels(number: NDArray[np.int64], labels: Sequence[str]) -> pa.Array:
    return pa.array(labels, pa.string()).take(pa.array(number))


def _number(values: Numbers) -> pa.Array:
    return pa.array(values, mask=values < 0)
