"""A grouper without trees, ids or masks: each rule's text becomes one Python expression.

It reads a scheme's raw tables and shares nothing with the package but them. The order of evaluation
and the meaning of every word of the rule language are written out here a second time.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.reference import plain_cases

Row = dict[str, Any]

FIELDS = ("ZYZD", "QTZD", "ZYSS", "QTSS")
DIAGNOSIS_FIELDS = ("ZYZD", "QTZD")
NUMBERS = ("XB", "NL", "XSRTL", "XSRTZ")
LOCAL_NUMBERS = {
    "ZYTS": ("length_of_stay", plain_cases.length_of_stay),
    "LYFS": ("leaving_way", plain_cases.leaving_way),
    "ICUSC": ("icu_hours", plain_cases.icu_hours),
    "ZYZLZB": ("tcm_share", plain_cases.tcm_share),
    "CSTZ": ("birth_weight_g", plain_cases.newborn_weight),
    "RJSS": ("day_surgery", plain_cases.yes_no),
    "DBW": ("several_sites", plain_cases.yes_no),
    "XJS": ("new_technique", plain_cases.yes_no),
    "ZZJH": ("intensive_care", plain_cases.yes_no),
}

_FIELDS = r"(?:ZYZD|QTZD|ZYSS|QTSS|CYKB)"
_SOME_FIELDS = rf"(?:{_FIELDS}|\{{\s*{_FIELDS}(?:\s*,\s*{_FIELDS})*\s*\}})"
_SOME_SETS = r"(?:[^\W\d][\w.]*|\{[^{}]*\})"
_OPERATOR = r"(?:>=|<=|≥|≤|=|>|<)"
_PART = re.compile(
    rf"""
      (?P<count>  length \s* \( \s* (?P<counted>[^\W\d][\w.]*) \s* ∩ \s* (?P<among>{_SOME_FIELDS})
                  \s* \) \s* (?P<than>{_OPERATOR}) \s* (?P<limit>\d+(?:\.\d+)?) )
    | (?P<met>    count \s* \( \s* (?P<those>{_SOME_SETS}) \s* ∩ \s* (?P<within>{_SOME_FIELDS})
                  \s* \) \s* (?P<to>{_OPERATOR}) \s* (?P<many>\d+(?:\.\d+)?) )
    | (?P<member> (?P<fields>{_SOME_FIELDS}) \s* (?P<negated>\bnot\b)? \s* \bin\b \s*
                  (?P<sets>{_SOME_SETS}) )
    | (?P<compare>\b (?P<variable>XB|NL|XSRTL|XSRTZ|{"|".join(LOCAL_NUMBERS)}) \s*
                  (?P<operator>{_OPERATOR}) \s* (?P<number>\d+(?:\.\d+)?) )
    | (?P<word>   \b(?:and|or|not)\b )
    | (?P<bare>   [01](?![\d.]) )
    | (?P<bracket>[()] )
    | (?P<space>  \s+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def translate(text: str) -> str:
    """The text of a rule as a Python expression about a case `c`.

    >>> translate("{ZYSS, QTSS} not in OP_A AND (NL>=70 or length(DI_B ∩ QTZD) > 1)")
    "not c.member(['ZYSS', 'QTSS'], ['OP_A'])
     and (c.number('NL') >= 70 or c.count('DI_B', ['QTZD']) > 1)"
    """
    text = unicodedata.normalize("NFKC", text.replace("_x000D_", " "))
    text = re.sub("[\u00ad\u200b\u200c\u200d\u2060\ufeff]", " ", text).strip()
    if not text:
        return "True"
    pieces = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        assert found, f"no translation for {text[at:]!r}"
        pieces.append(_python(found))
        at = found.end()
    return "".join(pieces)


def _names(text: str) -> list[str]:
    return re.findall(r"[\w.]+", text)


def _fields(text: str) -> list[str]:
    return [name.upper() for name in _names(text)]


def _operator(sign: str) -> str:
    return {"=": "==", "≥": ">=", "≤": "<="}.get(sign, sign)


def _python(found: re.Match[str]) -> str:
    if found["count"]:
        among = _fields(found["among"])
        return f"c.count({found['counted']!r}, {among}) {_operator(found['than'])} {found['limit']}"
    if found["met"]:
        test = f"c.met({_names(found['those'])}, {_fields(found['within'])})"
        return f"{test} {_operator(found['to'])} {found['many']}"
    if found["member"]:
        test = f"c.member({_fields(found['fields'])}, {_names(found['sets'])})"
        return f"not {test}" if found["negated"] else test
    if found["compare"]:
        variable = found["variable"].upper()
        return f"c.number({variable!r}) {_operator(found['operator'])} {found['number']}"
    if found["bare"]:
        return str(found["bare"] == "1")
    if found["space"]:
        return " "
    return found[0].lower()


@dataclass
class Case:
    """What the rules can ask of one case. A missing number is NaN, of which nothing is true."""

    codes: dict[str, list[str]]
    numbers: dict[str, float]
    sets: Mapping[str, set[str]]
    complications: set[str] = field(default_factory=set)

    def member(self, fields: list[str], sets: list[str]) -> bool:
        for name in sets:
            if name.upper() in ("MCC", "CC"):
                if name.upper() in self.complications:
                    return True
            elif any(code in self.sets.get(name, ()) for f in fields for code in self.codes[f]):
                return True
        return False

    def count(self, name: str, fields: list[str]) -> int:
        # A diagnosis and a procedure are two, even written alike.
        codes = {(f in ("ZYZD", "QTZD"), code) for f in fields for code in self.codes[f]}
        return sum(code in self.sets.get(name, ()) for _, code in codes)

    def met(self, sets: list[str], fields: list[str]) -> int:
        return [self.member(fields, [name]) for name in sets].count(True)

    def number(self, variable: str) -> float:
        return self.numbers[variable]


class KnownCodes:
    """The codes that can take part: a text is looked up as it is, then in its folded form."""

    def __init__(self, codes: Iterable[str]) -> None:
        self.exact = set(codes)
        self.folded: dict[str, list[str]] = {}
        for code in self.exact:
            self.folded.setdefault(plain_cases.tidy(code), []).append(code)

    def read(self, text: str | None) -> str | None:
        """The code; '' for a text that is none; None where there is nothing."""
        if text is None or text in self.exact:
            return text
        form = plain_cases.tidy(text)
        if form in plain_cases.MARKS:
            return None
        alike = self.folded.get(form, [])
        return alike[0] if len(alike) == 1 else ""

    def read_all(self, texts: Iterable[str | None] | None) -> list[str]:
        """The known codes of a list."""
        return [code for code in map(self.read, texts or ()) if code]


class PlainGrouper:
    """A scheme's rows, ready to be gone through one by one.

    `tables` are rows (dicts) by table name; `diagnoses` and `procedures` the official dictionaries.
    """

    def __init__(
        self, tables: Mapping[str, list[Row]], diagnoses: Iterable[str], procedures: Iterable[str]
    ) -> None:
        self.sets = _by_set(tables["sets"])
        self.exclusions = _by_set(tables["exclusions"])
        self.cc = {row["code"]: row for row in tables["cc"]}
        self.texts: list[str] = []
        self.mdcs = self._groups(tables["mdc"])
        self.adrgs = {
            m["code"]: self._groups([a for a in tables["adrg"] if a["mdc"] == m["code"]])
            for m in self.mdcs
        }
        self.drgs = {
            a["code"]: self._groups([d for d in tables["drg"] if d["adrg"] == a["code"]])
            for a in tables["adrg"]
        }
        everything = " ".join(self.texts)
        self.asked = {v for v in NUMBERS if f"c.number('{v}')" in everything}
        self.local = {v for v in LOCAL_NUMBERS if f"c.number('{v}')" in everything}
        self.weights = self._telling_weights(everything)
        self.known_diagnoses = KnownCodes(
            [*diagnoses, *self.cc, *set().union(*self.exclusions.values()), *self._named("ZD")]
        )
        self.known_procedures = KnownCodes([*procedures, *self._named("SS")])
        self.known_departments = KnownCodes(self._named("KB"))

    def _groups(self, rows: list[Row]) -> list[Row]:
        groups = []
        for row in rows:
            text = translate(row["rule"])
            self.texts.append(text)
            rule: Callable[[Case], bool] = eval(f"lambda c: {text}")
            last = not row["name"] and text in ("True", "(True)") and len(row) > 4
            groups.append({**row, "holds": rule, "last": last, "text": text})
        return sorted(groups, key=lambda g: (g["last"], g["sort"], g["code"]))

    def _named(self, kind: str) -> set[str]:
        """Codes of the sets asked of diagnoses (ZD), procedures (SS) or departments (KB)."""
        codes: set[str] = set()
        for text in self.texts:
            for fields, names in re.findall(r"c\.member\(\[(.*?)\], \[(.*?)\]\)", text):
                if f"{kind}'" in fields:
                    for name in re.findall(r"'(.*?)'", names):
                        codes |= self.sets.get(name, set())
            for names, fields in re.findall(r"c\.met\(\[(.*?)\], \[(.*?)\]\)", text):
                if f"{kind}'" in fields:
                    for name in re.findall(r"'(.*?)'", names):
                        codes |= self.sets.get(name, set())
            for name, fields in re.findall(r"c\.count\('(.*?)', \[(.*?)\]\)", text):
                if f"{kind}'" in fields:
                    codes |= self.sets.get(name, set())
        return codes

    @staticmethod
    def _telling_weights(text: str) -> list[int]:
        """Weights a newborn can have, one on each side of every bound in the rules."""
        bounds = [
            float(b) for b in re.findall(r"c\.number\('XSRTZ'\) (?:[<>]=?|==) ([\d.]+)", text)
        ]
        near = {math.floor(b) + d for b in bounds for d in (-1, 0, 1, 2)}
        return sorted(w for w in {100, 20_000, *near} if 100 <= w <= 20_000) if bounds else []

    def group(self, row: Mapping[str, Any]) -> Row:
        """Group one case, given as plain values under the canonical names.

        Returns `mdc`, `adrg`, `drg`, `status`, `reason` and `severity`.
        """
        nothing = dict.fromkeys(("mdc", "adrg", "drg", "severity"))
        principal = self.known_diagnoses.read(row["principal_diagnosis"])
        procedure = self.known_procedures.read(row.get("principal_procedure"))
        codes = {
            "ZYZD": [principal] if principal else [],
            "QTZD": self.known_diagnoses.read_all(_listed(row.get("other_diagnoses"))),
            "ZYSS": [procedure] if procedure else [],
            "QTSS": self.known_procedures.read_all(_listed(row.get("other_procedures"))),
            "CYKB": self.known_departments.read_all([row.get("department")]),
        }
        sex = plain_cases.sex(row.get("sex"))
        years, days = plain_cases.ages(row.get("age_years"), row.get("age_days"))
        weight = plain_cases.newborn_weight(row.get("newborn_weight_g"))
        flags = self._flags(row, principal, procedure)
        faults = []
        if not principal:
            faults.append(f"principal_diagnosis_{'missing' if principal is None else 'unknown'}")
        if "XB" in self.asked and sex < 1:
            faults.append("sex_missing" if sex == 0 else "sex_invalid")
        if "NL" in self.asked and years < 0:
            faults.append("age_missing" if years == -1 else "age_invalid")
        if "XSRTL" in self.asked and years == 0 and not 0 <= days <= 365:
            faults.append("age_days_missing" if days == -1 else "age_days_invalid")
        if faults:
            return {
                **nothing,
                "status": "invalid",
                "reason": faults[0],
                "reasons": faults,
                "code_flags": flags,
            }
        numbers = {
            "XB": float(sex) if sex > 0 else math.nan,
            "NL": float(years) if years >= 0 else math.nan,
            "XSRTL": float(days) if days >= 0 else math.nan,
            "XSRTZ": float(weight) if weight >= 0 else math.nan,
        }
        for name, (column, read) in LOCAL_NUMBERS.items():
            value = read(row.get(column))
            numbers[name] = float(value) if value >= 0 else math.nan
        case = Case(codes, numbers, self.sets)
        for code in codes["QTZD"]:
            listed = self.cc.get(code)
            if listed and principal not in self.exclusions.get(listed["exclusion"], ()):
                case.complications.add(listed["type"])
        found = self._first(case)
        # The weight is missing: does any that a newborn can have lead somewhere else?
        if weight < 0 and years <= 0:
            for other in self.weights:
                case.numbers = {**numbers, "XSRTZ": other}
                elsewhere = self._first(case)
                if any(elsewhere[k] != found[k] for k in ("mdc", "adrg", "drg")):
                    state = "missing" if weight == -1 else "invalid"
                    reason = f"newborn_weight_{state}"
                    return {
                        **nothing,
                        "status": "invalid",
                        "reason": reason,
                        "reasons": [reason],
                        "code_flags": flags,
                    }
        case.numbers = numbers
        reasons = [found["reason"]] if found["reason"] else None
        if found["reason"] == "no_mdc":
            reasons = self._why_no_mdc(principal, numbers)
        found |= {"reason": reasons and reasons[0], "reasons": reasons, "code_flags": flags}
        worst = [kind for kind in ("MCC", "CC") if kind in case.complications]
        return {**found, "severity": worst[0] if worst else "none"}

    def _flags(self, row: Mapping[str, Any], principal: str | None, procedure: str | None) -> Any:
        """Which columns hold unknown codes, which texts several; as the result column has it."""
        others = (
            (self.known_diagnoses, "other_diagnoses"),
            (self.known_procedures, "other_procedures"),
        )
        marks = [name for known, name in others if "" in map(known.read, _listed(row.get(name)))]
        for name, (column, read) in LOCAL_NUMBERS.items():
            if name in self.local and read(row.get(column)) == -2 and "local_values" not in marks:
                marks.append("local_values")
        marks += ["principal_procedure"] if procedure == "" else []
        marks += ["principal_diagnosis"] if principal == "" else []
        return "|".join(marks) or None

    def _why_no_mdc(self, principal: str, numbers: dict[str, float]) -> list[str]:
        """Try every sex and age with the principal diagnosis alone."""
        nothing = dict.fromkeys(("QTZD", "ZYSS", "QTSS", "CYKB"), ())

        def alone(sex: float, years: float, days: float) -> Case:
            tried = dict.fromkeys(numbers, math.nan) | {"XB": sex, "NL": years, "XSRTL": days}
            return Case({**nothing, "ZYZD": [principal]}, tried, self.sets)

        own = alone(numbers["XB"], numbers["NL"], numbers["XSRTL"])
        rules = []
        for mdc in self.mdcs:
            texts = " ".join(g["text"] for g in (mdc, *self.adrgs[mdc["code"]]))
            named = {
                name
                for no, fields, names in re.findall(
                    r"(not )?c\.member\(\[(.*?)\], \[(.*?)\]\)", texts
                )
                if not no and "ZYZD" in fields
                for name in re.findall("'(.*?)'", names)
            }
            takes = any(principal in self.sets.get(name, ()) for name in named)
            if takes and not mdc["holds"](own):
                rules.append(mdc["holds"])
        if not rules:
            return ["no_mdc_diagnosis"]

        def some(sexes: Iterable[float], ages: Iterable[tuple[float, float]]) -> bool:
            return any(rule(alone(sex, *age)) for sex in sexes for age in ages for rule in rules)

        every = [(0.0, float(d)) for d in range(366)]
        every += [(float(y), math.nan) for y in range(1, 151)]
        age = [(numbers["NL"], numbers["XSRTL"])]
        found = ["no_mdc_sex"] if some((1.0, 2.0), age) else []
        found += ["no_mdc_age"] if some((numbers["XB"],), every) else []
        if not found and some((1.0, 2.0), every):
            found = ["no_mdc_sex", "no_mdc_age"]
        return found or ["no_mdc"]

    def _first(self, case: Case) -> Row:
        """The first MDC with an ADRG that holds, its first ADRG, and that one's first DRG."""
        fits = False
        for mdc in self.mdcs:
            if not mdc["holds"](case):
                continue
            fits = fits or "ZYZD" in mdc["text"] or "QTZD" in mdc["text"]
            for adrg in self.adrgs[mdc["code"]]:
                if not adrg["holds"](case):
                    continue
                group = {"mdc": mdc["code"], "adrg": adrg["code"]}
                for drg in self.drgs[adrg["code"]]:
                    if drg["holds"](case):
                        status, reason = "grouped", None
                        if re.fullmatch("[A-Z]QY", adrg["code"]):
                            status, reason = "ambiguous", "unrelated_procedure"
                        elif adrg["last"]:
                            status, reason = "ungrouped", "catch_all"
                        return {**group, "drg": drg["code"], "status": status, "reason": reason}
                return {**group, "drg": None, "status": "ungrouped", "reason": "no_drg"}
        reason = "no_adrg" if fits else "no_mdc"
        return {
            **dict.fromkeys(("mdc", "adrg", "drg")),
            "status": "ungrouped",
            "reason": reason,
        }


def _by_set(rows: list[Row]) -> dict[str, set[str]]:
    sets: dict[str, set[str]] = {}
    for row in rows:
        sets.setdefault(row["set_id"], set()).add(row["code"])
    return sets


def _listed(value: Any) -> Iterable[str | None]:
    return value.split("|") if isinstance(value, str) else (value or ())
