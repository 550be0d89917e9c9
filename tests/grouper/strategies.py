"""Random cases and random schemes: near the edges of rules, and as bad as files can be."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from drgcore.schemes import Scheme
from drgcore.schemes.model import TABLE_SCHEMAS
from tests.grouper.helpers import Row, case_row, coverage, row_of, scheme

SchemeRows = dict[str, list[tuple[Any, ...]]]

NUMBER_COLUMNS = {
    "XB": "sex",
    "NL": "age_years",
    "XSRTL": "age_days",
    "XSRTZ": "newborn_weight_g",
}

# --- Cases for a shipped scheme ---------------------------------------------------------------


@lru_cache
def pools(name: str) -> dict[str, tuple[str, ...]]:
    """Codes that some rule of a scheme tells from others: diagnoses, procedures, complications."""
    of = scheme(name)
    named = [of.sets.get(s, frozenset()) for s in sorted(of.named_sets())]
    # Codes of small sets would be drowned by OP_ALL, so that each set gives the same number.
    draw = random.Random(20270101)
    codes = [c for s in named for c in draw.sample(sorted(s), min(len(s), 12))]
    excluding = [c for s in of.exclusions.values() for c in draw.sample(sorted(s), min(len(s), 8))]
    return {
        "diagnoses": tuple(c for c in codes if c[0].isalpha()),
        "procedures": tuple(c for c in codes if c[0].isdigit()),
        "complications": tuple(of.complications),
        "excluding": tuple(excluding),
    }


@lru_cache
def number_edges(name: str) -> dict[str, tuple[int, ...]]:
    """For each number the values at, below and above each bound of a scheme's rules."""
    return _edges([r for t in ("mdc", "adrg", "drg") for r in _rules(scheme(name), t)])


def _rules(of: Scheme, table: str) -> list[str]:
    rules: list[str] = of.tables[table]["rule"].to_pylist()
    return rules


def _edges(rules: list[str]) -> dict[str, tuple[int, ...]]:
    edges = {
        "XB": {1, 2},
        "NL": {0, 1, 40, 150},
        "XSRTL": {0, 29, 365},
        "XSRTZ": {100, 3200, 20_000},
    }
    for rule in rules:
        for variable, bound in re.findall(r"\b(XB|NL|XSRTL|XSRTZ)\W+([\d.]+)", rule):
            edges[variable].update(math.floor(float(bound)) + d for d in (-1, 0, 1))
    valid = {"XB": (1, 2), "NL": (0, 150), "XSRTL": (0, 60_000), "XSRTZ": (100, 20_000)}
    return {
        NUMBER_COLUMNS[v]: tuple(sorted(e for e in found if valid[v][0] <= e <= valid[v][1]))
        for v, found in edges.items()
    }


LOCAL_NUMBERS = {
    "ZYTS": ("length_of_stay", 0, 36_500),
    "LYFS": ("leaving_way", 1, 9),
    "ICUSC": ("icu_hours", 0, 200_000),
    "ZYZLZB": ("tcm_share", 0, 1),
    "CSTZ": ("birth_weight_g", 100, 20_000),
    "RJSS": ("day_surgery", 0, 1),
    "DBW": ("several_sites", 0, 1),
    "XJS": ("new_technique", 0, 1),
    "ZZJH": ("intensive_care", 0, 1),
}


def _local_edges(rules: list[str]) -> dict[str, list[float]]:
    """For each local number its ends, and the values at, below and above each bound."""
    edges: dict[str, list[float]] = {}
    for variable, (column, *ends) in LOCAL_NUMBERS.items():
        bounds = [b for r in rules for b in re.findall(rf"\b{variable}\W+([\d.]+)", r)]
        edges[column] = [*ends, *(math.floor(float(b)) + d for b in bounds for d in (-1, 0, 1))]
        if variable == "ZYZLZB":
            near = [(float(b), math.nextafter(float(b), d)) for b in bounds for d in (0, 2)]
            edges[column] += [share for pair in near for share in pair]
    return edges


@lru_cache
def _witnesses(name: str) -> tuple[Row, ...]:
    return tuple(row_of(case) for case in coverage(name).witnesses.values())


def near_witness(name: str, draw: random.Random) -> Row:
    """A case that reaches some group, with a few things changed."""
    row = dict(draw.choice(_witnesses(name)))
    codes = pools(name)
    edges = number_edges(name)

    def diagnosis() -> str:
        return draw.choice(codes[draw.choice(("diagnoses", "complications", "excluding"))])

    def procedure() -> str:
        return draw.choice(codes["procedures"])

    lists = {"other_diagnoses": diagnosis, "other_procedures": procedure}
    for _ in range(draw.randrange(4)):
        change = draw.randrange(9)
        name_of_list = draw.choice(tuple(lists))
        items = list(row[name_of_list])
        if change == 0:
            items.insert(draw.randrange(len(items) + 1), lists[name_of_list]())
        elif change == 1 and items:
            items.pop(draw.randrange(len(items)))
        elif change == 2 and items:
            items.append(draw.choice(items))
        elif change == 3 and row["principal_procedure"]:
            # The principal procedure done in second place, and another one in its stead.
            row["other_procedures"] = [row["principal_procedure"], *row["other_procedures"]]
            row["principal_procedure"] = draw.choice((None, procedure()))
            continue
        elif change == 4:
            row["principal_procedure"] = draw.choice((None, procedure()))
        elif change == 5:
            row["principal_diagnosis"] = draw.choice((diagnosis(), row["principal_diagnosis"]))
        elif change == 6:
            column = draw.choice(tuple(edges))
            row[column] = draw.choice(edges[column])
        elif change == 7:
            row["newborn_weight_g"] = None
        elif change == 8 and row["principal_diagnosis"]:
            items.append(row["principal_diagnosis"])
            name_of_list = "other_diagnoses"
            items = [*row["other_diagnoses"], row["principal_diagnosis"]]
        row[name_of_list] = items
    return row


@lru_cache
def hostile_cases(name: str) -> st.SearchStrategy[Row]:
    """Cases as text, with everything that stands in files and should not."""
    codes = pools(name)
    edges = number_edges(name)

    def disguised(code: str) -> st.SearchStrategy[str]:
        wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in code)
        return st.sampled_from(
            [code.lower(), code.upper(), wide, f" {code}\t", f"\ufeff{code}", f"{code}\u200b"]
        )

    def code(pool: str) -> st.SearchStrategy[str | None]:
        known = st.sampled_from(codes[pool])
        return st.one_of(
            known,
            known,
            known.flatmap(disguised),
            st.sampled_from([None, "", "-", "无", "A", "XYZ", "A00", "9", "x" * 200, "１２", "|"]),
            st.sampled_from(codes["procedures" if pool != "procedures" else "diagnoses"]),
            st.text(max_size=8),
        )

    def several(pool: str) -> st.SearchStrategy[list[str | None] | None]:
        few = st.lists(code(pool), max_size=6)
        many = st.tuples(st.lists(code(pool), min_size=1, max_size=4), st.integers(100, 250))
        return st.one_of(
            st.none(),
            few,
            few,
            few.map(lambda found: found + found),
            many.map(lambda pair: (pair[0] * pair[1])[:500]),
        )

    def number(column: str, *texts: str) -> st.SearchStrategy[str | None]:
        edge = st.sampled_from(edges[column]).map(str)
        garbage = ["", "-", "无", "x", "-1", "-40", "1e9", "99999999999999999999", "nan", "inf"]
        return st.one_of(edge, edge, st.none(), st.sampled_from([*garbage, *texts]))

    return st.fixed_dictionaries(
        {
            "principal_diagnosis": st.one_of(code("diagnoses"), code("complications")),
            "other_diagnoses": st.one_of(several("complications"), several("diagnoses")),
            "principal_procedure": code("procedures"),
            "other_procedures": several("procedures"),
            "sex": st.sampled_from(
                ["1", "2", "1.0", "男", "女", "Ｆ", "m", "0", "9", "3", "-1", "不详", "?", None]
            ),
            "age_years": number("age_years", "0", "0", "0.9", "60岁", "６５", "151", "1e2"),
            "age_days": number("age_days", "12天", "366", "60001", "3.5"),
            "newborn_weight_g": number("newborn_weight_g", "0", "3200克", "999.9g", "20001"),
        }
    )


# --- Random schemes ---------------------------------------------------------------------------

DIAGNOSES = ("A00", "B01.x", "C02", "D03", "E04", "F05", "G06", "H07", "I08", "J09")
PROCEDURES = ("00.1", "01.2", "02.3x00", "03.4", "04.5", "05.6", "06.7", "07.8")
DIAGNOSIS_SETS = ("DI_1", "DI_2", "DI_3", "DI_4")
PROCEDURE_SETS = ("OP_1", "OP_2", "OP_3", "OP_ALL")
# Holds diagnoses and procedures.
MIXED_SET = "MIXED"
# One department differs from another in letter case only; one has the code of a diagnosis.
DEPARTMENTS = ("0301", "A00", "ICU", "icu", "内科")
DEPARTMENT_SETS = ("DEPT_1", "DEPT_2", "DEPT_3")
# Named by rules, without a row in the sheet of sets.
NO_SETS = ("DI_NONE", "OP_NONE")
OPERATORS = ("=", ">=", ">", "<=", "<")


def _fields(of: tuple[str, ...]) -> st.SearchStrategy[str]:
    several = st.lists(st.sampled_from(of), min_size=1, max_size=3)
    return several.map(lambda f: f[0] if len(f) == 1 else "{" + ", ".join(f) + "}")


def _sets(of: tuple[str, ...]) -> st.SearchStrategy[str]:
    several = st.lists(st.sampled_from(of), min_size=1, max_size=3)
    return several.map(lambda s: s[0] if len(s) == 1 else "{" + ",".join(s) + "}")


def _joined(parts: st.SearchStrategy[str], form: str) -> st.SearchStrategy[str]:
    several = st.lists(parts, min_size=2, max_size=3)
    return several.map(lambda found: f"({f' {form} '.join(found)})")


_in = st.sampled_from([" in ", " not in ", "  IN ", " Not In ", " in_x000D_ "])
_operators = st.sampled_from(OPERATORS)
_any_field = ("ZYZD", "QTZD", "ZYSS", "QTSS")
_counts = st.sampled_from(["0", "1", "2", "3", "5", "0.5", "1.5", "2.0", "400", "2000000000"])
_limits = {
    "XB": ["1", "2", "1.5", "0"],
    "NL": ["0", "1", "17", "17.5", "70", "150", "151", "0.25"],
    "XSRTL": ["0", "1", "28", "29", "28.5", "365", "366", "60000"],
    "XSRTZ": ["0", "1", "1499", "1499.5", "2500", "20000", "20001", "0.5", "99999999999"],
}
_atoms = st.one_of(
    st.tuples(_fields(("ZYZD", "QTZD")), _in, _sets((*DIAGNOSIS_SETS, "DI_NONE"))).map("".join),
    st.tuples(_fields(("ZYSS", "QTSS")), _in, _sets((*PROCEDURE_SETS, "OP_NONE"))).map("".join),
    # Fields and sets that do not belong together.
    st.tuples(
        _fields(_any_field), _in, _sets((*DIAGNOSIS_SETS, *PROCEDURE_SETS, *NO_SETS, MIXED_SET))
    ).map("".join),
    st.tuples(st.just("QTZD"), _in, _sets(("MCC", "CC", "DI_1", "mcc"))).map("".join),
    st.builds(
        "length({} ∩ {}) {} {}".format,
        st.sampled_from((*DIAGNOSIS_SETS, *PROCEDURE_SETS, *NO_SETS, MIXED_SET, MIXED_SET)),
        _fields(_any_field),
        _operators,
        _counts,
    ),
    st.sampled_from(sorted(_limits)).flatmap(
        lambda v: st.builds("{}{} {}".format, st.just(v), _operators, st.sampled_from(_limits[v]))
    ),
    st.sampled_from(["1", "0", "1"]),
)
_local_limits = {
    "ZYTS": ["0", "1", "3", "3.5", "60", "36500", "36501", "99999999999"],
    "LYFS": ["0", "1", "2", "4.5", "5", "9", "10"],
    "ICUSC": ["0", "0.5", "24", "96", "200000", "200001"],
    "ZYZLZB": ["0", "0.3", "0.573", "0.6", "1", "2"],
    "CSTZ": ["0", "100", "1499.5", "2500", "20001"],
    **{name: ["0", "1", "0.5", "2"] for name in ("RJSS", "DBW", "XJS", "ZZJH")},
}
_local_atoms = st.one_of(
    st.sampled_from(sorted(_local_limits)).flatmap(
        lambda v: st.builds(
            "{}{} {}".format, st.just(v), _operators, st.sampled_from(_local_limits[v])
        )
    ),
    st.builds(
        "{}({} ∩ {}) {} {}".format,
        st.sampled_from(["count", "COUNT ", "Count"]),
        st.lists(
            st.sampled_from((*DIAGNOSIS_SETS, *PROCEDURE_SETS, *NO_SETS, MIXED_SET)),
            min_size=1,
            max_size=5,
            unique=True,
        ).map(lambda s: "{" + ", ".join(s) + "}"),
        _fields(_any_field),
        _operators,
        st.sampled_from(["0", "1", "2", "3", "1.5", "9"]),
    ),
    st.tuples(
        st.sampled_from(["CYKB", "cykb", "{CYKB}"]),
        _in,
        # A set of diagnoses may be asked of departments, and one that the sheet lacks.
        _sets((*DEPARTMENT_SETS, *DEPARTMENT_SETS, "DI_1", MIXED_SET, "DEPT_NONE")),
    ).map("".join),
)


def _rules_of(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(["", "1", " "]),
        atoms,
        st.recursive(
            atoms,
            lambda part: st.one_of(
                part.map("not ({})".format), _joined(part, "and"), _joined(part, "or")
            ),
            max_leaves=7,
        ),
    )


rules = _rules_of(_atoms)
"""Rules of the official language."""

local_rules = _rules_of(st.one_of(_atoms, _local_atoms, _local_atoms, _local_atoms))
"""Rules of local schemes."""


# What a newborn's weight decides is rare among random rules.
_by_weight = st.builds(
    "XSRTZ{} {}{}".format,
    _operators,
    st.sampled_from(_limits["XSRTZ"]),
    st.sampled_from(["", " and ZYZD in {DI_1, DI_2, DI_3}", " or QTZD in CC"]),
)


@st.composite
def schemes(draw: Callable[..., Any], local: bool = False) -> SchemeRows:
    """The rows of a scheme of a few groups whose rules use every construct of the rule language."""
    rules_of = local_rules if local else rules
    rows: SchemeRows = {t: [] for t in TABLE_SCHEMAS}
    sort = st.integers(0, 4)
    name = st.sampled_from(["", "named", "named", "named"])
    for letter in "ABCD"[: draw(st.sampled_from([2, 3, 4, 1]))]:
        mdc = f"MDC{letter}"
        rule = draw(st.one_of(st.sampled_from(["", "NL = 0", "ZYZD in {DI_1, DI_2}"]), rules_of))
        rows["mdc"].append((mdc, f"{letter}", rule, draw(sort)))
        kinds = draw(
            st.lists(
                st.sampled_from(["1", "2", "3", "00", "QY"]), min_size=1, max_size=4, unique=True
            )
        )
        for kind in kinds:
            adrg = letter + (kind if len(kind) == 2 else f"A{kind}")
            if kind == "00":
                # A catch-all, or what only looks like one.
                rule = draw(st.sampled_from(["", "1", "0"]))
                rows["adrg"].append((adrg, "", rule, mdc, draw(sort)))
            else:
                rule = draw(st.one_of(rules_of, rules_of, _by_weight))
                rows["adrg"].append((adrg, draw(name), rule, mdc, draw(sort)))
            for end in "135"[: draw(st.sampled_from([1, 2, 3, 0]))]:
                rule = draw(st.one_of(st.just(""), rules_of))
                rows["drg"].append((adrg + end, draw(name), rule, adrg, mdc, draw(sort)))
    member = st.lists(st.sampled_from(DIAGNOSES), max_size=4, unique=True)
    for set_id in DIAGNOSIS_SETS:
        rows["sets"] += [(set_id, c) for c in draw(member)]
    for set_id in PROCEDURE_SETS:
        chosen = draw(st.lists(st.sampled_from(PROCEDURES), max_size=4, unique=True))
        rows["sets"] += [(set_id, c) for c in chosen]
    if local:
        for set_id in DEPARTMENT_SETS:
            chosen = draw(st.lists(st.sampled_from(DEPARTMENTS), max_size=3, unique=True))
            rows["sets"] += [(set_id, c) for c in chosen]
        # Each local number in its turn: what strategies draw leans to a few of them.
        chance = random.Random(draw(st.integers(0, 2**32)))
        for table in ("adrg", "drg"):
            for place, (code, title, rule, *rest) in enumerate(rows[table]):
                if chance.random() < 0.5 and (table == "drg" or not code.endswith("00")):
                    variable = chance.choice(sorted(_local_limits))
                    limit = chance.choice(_local_limits[variable])
                    atom = f"{variable} {chance.choice(OPERATORS)} {limit}"
                    whole = (
                        f"({rule}) {chance.choice(('and', 'or'))} {atom}" if rule.strip() else atom
                    )
                    rows[table][place] = (code, title, whole, *rest)
    # Ids of diagnoses and of procedures run side by side: the first few of both.
    mixed = st.sampled_from((*DIAGNOSES[:5], *PROCEDURES[:5]))
    rows["sets"] += [(MIXED_SET, c) for c in draw(st.lists(mixed, max_size=10, unique=True))]
    for code in draw(st.lists(st.sampled_from(DIAGNOSES), max_size=6, unique=True)):
        table = draw(st.sampled_from(["EX_1", "EX_2", "无"]))
        rows["cc"].append((code, table, draw(st.sampled_from(["MCC", "CC"]))))
    for table in ("EX_1", "EX_2"):
        rows["exclusions"] += [(table, c) for c in draw(member)]
    return rows


def scheme_of(rows: SchemeRows, name: str = "random") -> Scheme:
    """The scheme of these rows, in memory and unchecked."""
    tables = {
        table: pa.Table.from_pylist(
            [dict(zip(schema.names, r, strict=True)) for r in rows.get(table, [])], schema=schema
        )
        for table, schema in TABLE_SCHEMAS.items()
    }
    return Scheme(name, tables)


def case_of(of: Scheme, draw: random.Random) -> Row:
    """A random case for a random scheme: its codes, and numbers around its bounds."""
    edges = _edges([r for t in ("mdc", "adrg", "drg") for r in _rules(of, t)])

    def number(column: str) -> int | None:
        return draw.choice((*edges[column], *edges[column], None, -7))

    def several(codes: tuple[str, ...]) -> list[str]:
        return draw.choices((*codes, "unknown"), k=draw.choice((0, 1, 2, 3, 4, 9)))

    newborn = draw.random() < 0.4
    days = (0, 3, 28, 29, 365) if draw.random() < 0.8 else (None, 366, -7)
    return case_row(
        draw.choice((*DIAGNOSES, *DIAGNOSES, None, "unknown")),
        several(DIAGNOSES),
        draw.choice((*PROCEDURES, None, None, "unknown")),
        several(PROCEDURES),
        sex=draw.choice((1, 2, 1, 2, 1, 2, None, 5)),
        age_years=0 if newborn else number("age_years"),
        age_days=draw.choice(days) if newborn else number("age_days"),
        newborn_weight_g=draw.choice((number("newborn_weight_g"), None, -7)),
    )


PHRASES = ("是", "无", "Ｙ", "No", "57.3%", "60 ％", "1e-1", "1e0%", "0.573")
_DISGUISED_DEPARTMENTS = ("Icu", "ＩＣＵ", " a00\t", "内科\u200b")
LOCAL_KINDS = (pa.string(), pa.int64(), pa.float64())
"""Types that a column of local numbers may have."""


def local_case_of(of: Scheme, draw: random.Random, kind: pa.DataType) -> Row:
    """A random case for a scheme with local variables, whose local numbers are of this type."""
    edges = _local_edges([r for t in ("mdc", "adrg", "drg") for r in _rules(of, t)])
    garbage: dict[pa.DataType, tuple[Any, ...]] = {
        pa.string(): (
            "",
            "无",
            "x",
            "-3",
            "1e9",
            "9" * 30,
            "nan",
            "2.9",
            " ４ ",
            "3天",
            "30小时",
            *PHRASES,
        ),
        pa.int64(): (-1, -2, 2**31, 2**62, -(2**62)),
        pa.float64(): (-0.5, 2.9, 1e300, math.nan, math.inf, -math.inf),
    }

    def number(column: str) -> Any:
        if draw.random() < 0.2:
            return draw.choice((None, *garbage[kind]))
        value = draw.choice(edges[column])
        if kind == pa.int64():
            return int(value)
        return str(value) if kind == pa.string() else value

    return {
        **case_of(of, draw),
        **{column: number(column) for column in edges},
        "department": draw.choice(
            (
                *DEPARTMENTS,
                *DEPARTMENTS,
                *_DISGUISED_DEPARTMENTS,
                "-",
                "",
                "?",
                None,
            )
        ),
    }
