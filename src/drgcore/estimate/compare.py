"""Our groups beside the official ones: how often they agree, and why each case differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from drgcore.cases import CaseMapping, open_cases
from drgcore.cases.attributes import dates_of
from drgcore.cases.guessing import mapping_for
from drgcore.errors import CaseSchemaError
from drgcore.estimate.differing import DIFFERENCE_REASONS, explain_differences
from drgcore.grouper import group
from drgcore.grouper.batch import BatchGrouper
from drgcore.language import _
from drgcore.progress import step
from drgcore.schemes import Scheme

LEVELS = ("mdc", "adrg", "drg")
_NO_GROUP = r"[A-Z]?0{2,4}|"


@dataclass(frozen=True)
class GroupComparison:
    """Our groups beside the official ones.

    Parameters
    ----------
    agreement : pandas.DataFrame
        One row a level: `level` (`mdc`, `adrg`, `drg`), `cases` (those that both sides have),
        `agree`, `share`.
    by_month, by_department : pandas.DataFrame
        The same with the month of discharge or the department before it, where the cases have one;
        else without rows.
    kinds : pandas.DataFrame
        `kind` of difference, `cases`, `meaning` (in words); the most cases first.
    differing : pandas.DataFrame
        One row a case that differs or that one side lacks: `case_id`, `month`, `department`,
        `ours`, `official` (DRG, None where there is none), `level` (the first that differs),
        `kind`, `detail` (the scheme or the code that explains it).
    """

    agreement: pd.DataFrame
    by_month: pd.DataFrame
    by_department: pd.DataFrame
    kinds: pd.DataFrame
    differing: pd.DataFrame

    def share(self, level: str = "drg") -> float:
        """Share of the cases of both sides whose group agrees at a level, 1 where there is none."""
        row = self.agreement.set_index("level").loc[level]
        return float(row["agree"] / row["cases"]) if row["cases"] else 1.0

    def below(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Give the levels whose agreement is below a threshold, with their agreement.

        Parameters
        ----------
        thresholds : mapping of str to float
            Share by level, 0 to 1.

        Returns
        -------
        dict of str to float
            Empty where all are reached.

        Raises
        ------
        CaseSchemaError
            For a level that there is not.
        """
        unknown = sorted(set(thresholds) - set(LEVELS))
        if unknown:
            raise CaseSchemaError(
                _(
                    "no level {unknown}; levels are {levels}",
                    unknown=", ".join(unknown),
                    levels=", ".join(LEVELS),
                )
            )
        shares = {level: self.share(level) for level in thresholds}
        return {level: share for level, share in shares.items() if share < thresholds[level]}

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {
            "agreement": self.agreement,
            "by_month": self.by_month,
            "by_department": self.by_department,
            "kinds": self.kinds,
            "differing": self.differing,
        }

    def __str__(self) -> str:
        lines = []
        for row in self.agreement.to_dict("records"):
            share = f"{row['share']:.2%}" if row["cases"] else "—"
            lines.append(
                _(
                    "{level:<5}{agree:>10,} of {cases:,} {share}",
                    level=row["level"].upper(),
                    agree=row["agree"],
                    cases=row["cases"],
                    share=share,
                )
            )
        for row in self.kinds.to_dict("records"):
            lines.append(
                f"  {row['cases']:>8,} {row['kind']:<20} {DIFFERENCE_REASONS[row['kind']]}"
            )
        return "\n".join(lines)


def compare_groups(
    cases: Any,
    official: Any,
    scheme: str | Path | Scheme = "chs-drg-3.0",
    *,
    mapping: str | Path | CaseMapping = "canonical",
    clinical_codes: bool = False,
    case_id: str = "case_id",
    schemes: Sequence[str | Path | Scheme] = (),
) -> GroupComparison:
    """Compare our groups with those that the bureau returned, and say why each case differs.

    A case that differs is tried again: by other schemes, with the codes read as the clinical
    version (or not), with another principal code, with one code left out, with an excluded
    complication counted. What gives the official group is its kind; where nothing does, it is
    `unexplained`. These are the likeliest reasons, not proofs: the bureau's own front page is not
    seen.

    Parameters
    ----------
    cases, scheme, mapping, clinical_codes
        As for `group`.
    official : table
        `case_id` and `drg` (or `official_drg`), one row a case. No group may be written as nothing,
        ``0000`` or the catch-all (``B000``), an ambiguous one as ``BQY``.
    case_id : str
        Column with the id of a case on both sides.
    schemes : sequence, optional
        Other schemes to try, for example the region's own; by default the shipped national ones.

    Returns
    -------
    GroupComparison

    Raises
    ------
    CaseSchemaError
        If an id is missing or occurs twice on a side, or `official` lacks its columns.

    Examples
    --------
    >>> import drgcore
    >>> cases = drgcore.sample_cases(300, "chs-drg-3.0", seed=2)
    >>> official = drgcore.group(cases, "chs-drg-2.0").select(["case_id", "drg"])
    >>> found = drgcore.compare_groups(cases, official)
    >>> found.kinds["kind"].iloc[0]
    'version'
    """
    grouper = BatchGrouper.of(scheme, clinical_codes)
    mapping = mapping_for(mapping, cases)
    with open_cases(cases) as source:
        source.expect_codes(grouper.resolve(mapping, source.schema).code_names())
        table = pa.Table.from_batches(list(source.batches()), source.schema)
    if case_id not in table.column_names:
        raise CaseSchemaError(_("the cases have no column {case_id}", case_id=case_id))
    ours = group(table, scheme, mapping=mapping, clinical_codes=clinical_codes, columns=[])
    assert isinstance(ours, pa.Table)
    with step(_("comparing the groups"), _("steps"), 6) as told:
        left = pd.DataFrame({"case_id": _ids(table.column(case_id), _("cases"))})
        left["row"] = np.arange(len(left))
        left["ours"] = _no_group(ours.column("drg"))
        left["month"] = _month(table)
        left["department"] = _texts(table, "department")
        told.advance()
        right = _official(official, case_id)
        both = left.merge(right, on="case_id", how="outer", indicator=True)
        both = both.sort_values("case_id", kind="stable").reset_index(drop=True)
        matched = both[both["_merge"] == "both"]
        told.advance()
        own = _levels(matched["ours"]), _levels(matched["official"])
        same = pd.DataFrame({level: own[0][level] == own[1][level] for level in LEVELS})
        same = same.assign(month=matched["month"], department=matched["department"])
        told.advance()
        different = matched[~same["drg"]]
        why = explain_differences(
            table.take(pa.array(different["row"].astype(np.int64))),
            different["official"].tolist(),
            scheme,
            mapping=mapping,
            clinical_codes=clinical_codes,
            schemes=schemes,
        )
        told.advance()
        levels = same[list(LEVELS)].to_numpy()[~same["drg"].to_numpy()]
        first = [LEVELS[at] for at in (~levels).argmax(axis=1)]
        parts = [
            different.assign(
                level=first, kind=why["kind"].to_numpy(), detail=why["detail"].to_numpy()
            )
        ]
        for side, kind in (("left_only", "official_missing"), ("right_only", "ours_missing")):
            parts.append(both[both["_merge"] == side].assign(level=None, kind=kind, detail=None))
        differing = pd.concat(parts).sort_index()
        columns = ["case_id", "month", "department", "ours", "official", "level", "kind", "detail"]
        told.advance()
        found = GroupComparison(
            _agreement(same, []),
            _agreement(same, ["month"]),
            _agreement(same, ["department"]),
            _kinds(differing["kind"]),
            differing[columns].reset_index(drop=True),
        )
        told.advance()
    return found


def _official(official: Any, case_id: str) -> pd.DataFrame:
    with open_cases(official) as source:
        table = pa.Table.from_batches(list(source.batches()), source.schema)
    names = [n for n in ("official_drg", "drg") if n in table.column_names]
    if case_id not in table.column_names or not names:
        raise CaseSchemaError(
            _("the official groups need the columns {case_id} and drg", case_id=case_id),
            hint=_("say what their columns are called, or rename them"),
        )
    ids = _ids(table.column(case_id), _("official groups"))
    return pd.DataFrame({"case_id": ids, "official": _no_group(table.column(names[0]))})


def _ids(column: pa.ChunkedArray, where: str) -> pd.Series:
    ids = column.cast(pa.string()).to_pandas().astype("string").str.strip()
    empty = ids.isna() | (ids == "")
    if empty.any():
        raise CaseSchemaError(
            _("row {row} has no id", row=int(empty.to_numpy().argmax()) + 1), where=where
        )
    twice = np.flatnonzero(ids.duplicated(keep=False).to_numpy())
    if len(twice):
        rows = ", ".join(str(at + 1) for at in twice[:5])
        raise CaseSchemaError(_("ids occur more than once: rows {rows}", rows=rows), where=where)
    return ids.astype(object)


def _no_group(column: Any) -> pd.Series:
    """DRG codes in capitals, None for what is no group."""
    texts = column.cast(pa.string()).to_pandas().astype("string").str.strip().str.upper()
    texts = texts.mask(texts.str.fullmatch(_NO_GROUP).fillna(True))
    return texts.astype(object).where(texts.notna(), None)


def _levels(drgs: pd.Series) -> dict[str, pd.Series]:
    """MDC, ADRG and DRG of a DRG's code; '' where there is no group."""
    codes = drgs.fillna("").astype(str)
    return {"mdc": codes.str[:1], "adrg": codes.str[:3], "drg": codes}


def _month(table: pa.Table) -> pd.Series:
    if "discharge_date" not in table.column_names:
        return pd.Series([None] * len(table), dtype=object)
    days = pd.Series(dates_of(table, "discharge_date").to_pandas())
    # There are few days, and many cases of each.
    months = {day: None if pd.isna(day) else f"{day:%Y-%m}" for day in days.unique()}
    return days.map(months).astype(object)


def _texts(table: pa.Table, name: str) -> pd.Series:
    if name not in table.column_names:
        return pd.Series([None] * len(table), dtype=object)
    return table.column(name).cast(pa.string()).to_pandas().astype(object)


def _agreement(same: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    known = same.dropna(subset=keys) if keys else same
    rows = []
    parts = known.groupby(keys[0], sort=True) if keys else [(None, known)]
    for key, part in parts:
        for level in LEVELS:
            agree = int(part[level].sum())
            share = agree / len(part) if len(part) else np.nan
            rows.append({**dict.fromkeys(keys, key), "level": level, "cases": len(part)})
            rows[-1] |= {"agree": agree, "share": share}
    return pd.DataFrame(rows, columns=[*keys, "level", "cases", "agree", "share"])


def _kinds(kinds: pd.Series) -> pd.DataFrame:
    counts = kinds.value_counts()
    rows = [(kind, int(counts.get(kind, 0)), text) for kind, text in DIFFERENCE_REASONS.items()]
    table = pd.DataFrame(rows, columns=["kind", "cases", "meaning"])
    table = table[table["cases"] > 0].sort_values("cases", ascending=False, kind="stable")
    return table.reset_index(drop=True)
