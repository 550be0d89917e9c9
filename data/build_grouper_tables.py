"""Build every shipped table from a folder of sources: `python data/build_grouper_tables.py FOLDER`.

FOLDER holds `schemes/<name>/`, the six tables of each scheme as .csv (or `schemes/<name>.xlsx`, the
official workbook), `icd/`, the code dictionaries, and `lists/`, lists of codes beside the rules.
The same sources give the same bytes.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pypinyin import Style, lazy_pinyin

from drgcore.errors import SchemeError
from drgcore.schemes import cells, check_scheme, load_dictionary, load_scheme
from drgcore.schemes.code_search import INITIALS_SCHEMA, folded
from drgcore.schemes.compile import compile_scheme, write_table
from drgcore.schemes.implication import is_diagnosis
from drgcore.schemes.lists import LISTS_FOLDER, LISTS_SCHEMA
from drgcore.schemes.store import CodeKind, read_manifest

OUT = Path(__file__).parent / "grouper_tables"

# A base stands before its overlays.
SCHEMES = {
    "chs-drg-3.0": {
        "title": "按病组（DRG）付费3.0版分组方案",
        "metadata": {
            "source": "医保发〔2026〕22号；按病组（DRG）付费3.0版分组方案配置信息",
            "issued": "2026-09",
            "in_force_from": "2027-01-01",
        },
    },
    "chs-drg-2.0": {
        "title": "按病组和病种分值付费2.0版分组方案（CHS-DRG 2.0）",
        "metadata": {
            "source": "医保办发〔2024〕9号；按病组和病种分值付费2.0版分组方案",
            "issued": "2024",
            "in_force_from": "2025-01-01",
            "in_force_to": "2026-12-31",
        },
    },
    "chs-drg-1.1": {
        "title": "国家医疗保障DRG（CHS-DRG）细分组方案（1.1版）",
        "metadata": {
            "source": "国家医疗保障DRG（CHS-DRG）细分组方案（1.1版）",
            "issued": "2021",
        },
    },
    "chs-drg-1.0r": {
        "title": "CHS-DRG 1.0修订版",
        "metadata": {
            "source": "CHS-DRG 1.0修订版",
            "issued": "2020",
        },
    },
    "wuhan-2022": {
        "title": "武汉市本地版（2022年）",
        "base": "chs-drg-1.0r",
        "metadata": {"source": "武汉市本地版（2022年）", "region": "武汉市", "year": "2022"},
    },
    "suzhou-2023": {
        "title": "苏州市本地版（2023年）",
        "base": "chs-drg-1.1",
        "metadata": {"source": "苏州市本地版（2023年）", "region": "苏州市", "year": "2023"},
    },
}

_OPEN = "OpenDRG/DRG_Python, commit 5d523a26 (Apache-2.0)"
# Local versions, all from one open grouper; the one named Changsha is that of four cities.
CITIES = {
    "anyang-2021": "安阳市",
    "beijing-2022": "北京市",
    "changsha-2023": "长株潭衡区域",
    "chongqing-2022": "重庆市",
    "fuzhou-2022": "福州市",
    "guangxi-2022": "广西壮族自治区",
    "haerbin-2022": "哈尔滨市",
    "lanzhou-2023": "兰州市",
    "linfen-2022": "临汾市",
    "nanping-2023": "南平市",
    "qingdao-2023": "青岛市",
    "taizhou-2022": "泰州市",
    "wlmq-2022": "乌鲁木齐市",
    "wuxi-2022": "无锡市",
    "xjbt-2022": "新疆生产建设兵团",
    "yancheng-2023": "盐城市",
    "yantai-2023": "烟台市",
    "yunnan-2022": "云南省",
    "yunnan-2023": "云南省",
}

DICTIONARIES = {
    "diagnoses": ("code", "name"),
    "procedures": ("code", "name"),
    "diagnoses_clinical_to_insurance": ("clinical_code", "insurance_code"),
    "procedures_clinical_to_insurance": ("clinical_code", "insurance_code"),
}

_PLANS = {
    "chs-drg-3.0": "按病组（DRG）付费3.0版分组方案",
    "chs-drg-2.0": "按病组和病种分值付费2.0版分组方案",
}
_COPY = "as an open grouping project registers it"
# List, the scheme it belongs to ("" for the dictionary), its file, where it is from.
LISTS = (
    (
        "no_principal_diagnosis",
        "chs-drg-3.0",
        "no-principal-diagnosis-3.0",
        f"不作为主要诊断的编码, {_PLANS['chs-drg-3.0']}, {_COPY}",
    ),
    (
        "no_principal_diagnosis",
        "chs-drg-2.0",
        "no-principal-diagnosis-2.0",
        f"不作为主要诊断的编码, {_PLANS['chs-drg-2.0']}, {_COPY}",
    ),
    (
        "no_part_procedures",
        "chs-drg-3.0",
        "no-part-procedures-3.0",
        f"不参与分组的手术操作, {_PLANS['chs-drg-3.0']}, {_COPY}",
    ),
    (
        "no_part_procedures",
        "chs-drg-2.0",
        "no-part-procedures-2.0",
        f"不参与分组的手术操作, {_PLANS['chs-drg-2.0']}, {_COPY}",
    ),
    ("gray_diagnoses", "", "gray-diagnoses", "医保版疾病诊断分类与代码, 置灰编码"),
    ("gray_procedures", "", "gray-procedures", "医保版手术操作分类与代码, 置灰编码"),
    (
        "basic_groups",
        "chs-drg-3.0",
        "basic-groups-3.0",
        f"基层病组（首批31个）, {_PLANS['chs-drg-3.0']}",
    ),
)


_SYSTEMS: dict[CodeKind, str] = {
    "diagnoses": "医疗保障疾病诊断分类与代码 (insurance version of ICD-10)",
    "procedures": "医疗保障手术操作分类与代码 (insurance version of ICD-9-CM-3)",
}

_FINDINGS_HEAD = """# What `drgcore scheme check` finds in the shipped schemes

Written by `data/build_grouper_tables.py`. The tables are shipped as they were found: a finding is
for a person to look at. The word in brackets is the kind:

- `unreachable`: no case gets to the group; `never-true`: its rule contradicts itself.
- `falls-through`: the last DRG of an ADRG has a condition, so that a case may be left without one.
- `not-admitted`: diagnoses of a group that no case can bring there, for the MDC (or the ADRG) does
  not admit them as principal diagnosis.
- `two-mdc`: principal diagnoses of two MDC; the one that is tried first has them, unless none of
  its ADRG holds.
- `same-rule`, `same-name`: DRG of one ADRG that have this in common.
- `equal-sort`, `catch-all-order`: places in the order that say less, or other, than they should.
- `unused-set`, `unused-exclusion`: sets that no rule and exclusion tables that no diagnosis names.
- `unknown-code`: codes that are not in the dictionary."""


def build_dictionary(source: Path, columns: tuple[str, str], target: Path) -> None:
    """One code dictionary, cleaned as the cells of a scheme are."""
    repairs: list[tuple[str, str, str]] = []

    def note(*repair: str) -> None:
        repairs.append(repair)

    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    readers = [cells.text if name == "name" else cells.icd for name in columns]
    data = {
        name: [read(row[name], note) for row in rows]
        for name, read in zip(columns, readers, strict=True)
    }
    if len(set(data[columns[0]])) != len(rows):
        raise SchemeError(f"column {columns[0]} repeats a code", where=str(source))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_table(pa.table(data, schema=pa.schema([(name, pa.string()) for name in columns])), target)
    print(f"{target.stem}: {len(rows):,} rows, {target.stat().st_size:,} bytes")
    for kind, before, after in repairs:
        print(f"  repaired {kind}: {before!r} → {after!r}")


def build_initials(kind: CodeKind) -> None:
    """The initials of each name's pinyin, so that a search needs no library for it."""
    table = load_dictionary(kind)
    initials = []
    for name in table["name"].to_pylist():
        letters = "".join(lazy_pinyin(folded(name), style=Style.FIRST_LETTER))
        initials.append("".join(c for c in letters if c.isascii() and c.isalnum()))
    columns = {"code": table["code"].combine_chunks(), "initials": pa.array(initials)}
    target = OUT / "icd" / f"{kind}_initials.parquet"
    write_table(pa.table(columns, schema=INITIALS_SCHEMA), target)
    print(f"{target.stem}: {target.stat().st_size:,} bytes")


def describe_dictionaries() -> None:
    """What the dictionaries are, and the codes of the schemes in force that they lack."""
    told = []
    newest, before = load_scheme(OUT / "chs-drg-3.0"), load_scheme(OUT / "chs-drg-2.0")
    for kind, system in _SYSTEMS.items():
        known = set(load_dictionary(kind)["code"].to_pylist())
        is_kind = {"diagnoses": True, "procedures": False}[kind]
        used = [
            {c for s in scheme.sets.values() for c in s if is_diagnosis(c) == is_kind} - known
            for scheme in (newest, before)
        ]
        told.append(
            {
                "kind": kind,
                "system": system,
                "version": "not stated in the source",
                "date": "not stated in the source",
                "codes": len(known),
                "newer": sorted(used[0]),
                # Codes of 2.0 that are newer than the dictionary and that 3.0 has no more.
                "removed_2026": sorted(used[1] - used[0]),
            }
        )
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (OUT / "icd" / "dictionaries.json").write_text(text + "\n", encoding="utf-8")


def build_lists(folder: Path, target: Path) -> None:
    """The lists of codes in one table, and where each is from."""
    rows: list[tuple[str, str, str]] = []
    told = []
    for name, scheme, file, source in LISTS:
        read = cells.label if name == "basic_groups" else cells.icd
        path = folder / f"{file}.csv"
        with path.open(encoding="utf-8-sig", newline="") as text:
            codes = sorted(
                {read(row["code"], lambda *repair: print(repair)) for row in csv.DictReader(text)}
            )
        rows += [(name, scheme, code) for code in codes]
        told.append({"list": name, "scheme": scheme, "codes": len(codes), "source": source})
        print(f"{file}: {len(codes):,} codes")
    target.mkdir(parents=True, exist_ok=True)
    columns = dict(zip(LISTS_SCHEMA.names, zip(*rows, strict=True), strict=True))
    write_table(pa.table(columns, schema=LISTS_SCHEMA), target / "codes.parquet")
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (target / "lists.json").write_text(text + "\n", encoding="utf-8")


def build_scheme(source: Path, name: str, options: Mapping[str, Any]) -> None:
    """One scheme, and what there is to say of it."""
    report = compile_scheme(source, OUT, name=name, **options)
    size = sum(file.stat().st_size for file in report.folder.iterdir())
    print(f"{name}: {dict(report.counts)}, {size:,} bytes, changes {report.changes}")
    for repair in report.repairs:
        print(f"  repaired {repair}")
    for finding in report.warnings:
        print(f"  {finding}")


def findings_of(name: str) -> list[str]:
    """What the check says of a shipped scheme, one line a finding, all codes listed."""
    kinds: tuple[CodeKind, ...] = ("diagnoses", "procedures")
    report = check_scheme(load_scheme(OUT / name), {kind: load_dictionary(kind) for kind in kinds})
    lines = []
    for finding in (*report.errors, *report.warnings):
        # The message names the first few where there are more.
        shown, more, _ = finding.message.partition(" … and ")
        codes = ", ".join(finding.items)
        said = f"{shown.rpartition(': ')[0]}: {codes}" if more else finding.message
        lines.append(f"- {finding.where}: {said} [{finding.code}]")
    return lines


def write_findings(names: Sequence[str]) -> None:
    """All findings, of an overlay only those that its base has not."""
    found = {name: findings_of(name) for name in names}
    parts = [_FINDINGS_HEAD]
    for name, lines in found.items():
        base = read_manifest(OUT / name)["base"]
        known = found[base["name"]] if base else []
        own = [line for line in lines if line not in known]
        gone = len([line for line in known if line not in lines])
        parts.append(f"\n## {name}\n")
        if base:
            parts.append(
                f"What {base['name']} has too ({len(lines) - len(own)} of its {len(known)}; "
                f"{gone} are gone) is not repeated.\n"
            )
        parts += own or ["Nothing else." if base else "Nothing."]
    (OUT / "FINDINGS.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


def main(folder: Path) -> None:
    """Build the dictionaries, the lists and every scheme."""
    build_lists(folder / "lists", OUT / LISTS_FOLDER)
    for name, columns in DICTIONARIES.items():
        target = name.replace("_clinical_to_insurance", "_translation")
        build_dictionary(folder / "icd" / f"{name}.csv", columns, OUT / "icd" / f"{target}.parquet")
    for name, options in SCHEMES.items():
        workbook = folder / "schemes" / f"{name}.xlsx"
        build_scheme(workbook if workbook.exists() else folder / "schemes" / name, name, options)
    for name, region in CITIES.items():
        year = name.rpartition("-")[2]
        metadata = {"source": _OPEN, "region": region, "year": year}
        options = {"title": f"{region}本地版（{year}年）", "metadata": metadata}
        build_scheme(folder / "schemes" / "cities" / name, name, options)
    for kind in _SYSTEMS:
        build_initials(kind)
    describe_dictionaries()
    write_findings([*SCHEMES, *CITIES])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
