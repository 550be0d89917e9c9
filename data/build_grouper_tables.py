"""Build every shipped table from a folder of sources: `python data/build_grouper_tables.py FOLDER`.

FOLDER holds `schemes/<name>/`, the six tables of each scheme as .csv (or `schemes/<name>.xlsx`, the
official workbook), and `icd/`, the code dictionaries. The same sources give the same bytes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pyarrow as pa

from drgcore.errors import SchemeError
from drgcore.schemes import cells
from drgcore.schemes.compile import compile_scheme, write_table

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
        "metadata": {"source": "武汉市本地版（2022年）"},
    },
    "suzhou-2023": {
        "title": "苏州市本地版（2023年）",
        "base": "chs-drg-1.1",
        "metadata": {"source": "苏州市本地版（2023年）"},
    },
}

DICTIONARIES = {
    "diagnoses": ("code", "name"),
    "procedures": ("code", "name"),
    "diagnoses_clinical_to_insurance": ("clinical_code", "insurance_code"),
    "procedures_clinical_to_insurance": ("clinical_code", "insurance_code"),
}


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


def main(folder: Path) -> None:
    """Build the dictionaries and every scheme."""
    for name, columns in DICTIONARIES.items():
        target = name.replace("_clinical_to_insurance", "_translation")
        build_dictionary(folder / "icd" / f"{name}.csv", columns, OUT / "icd" / f"{target}.parquet")
    for name, options in SCHEMES.items():
        workbook = folder / "schemes" / f"{name}.xlsx"
        source = workbook if workbook.exists() else folder / "schemes" / name
        report = compile_scheme(source, OUT, name=name, **options)
        size = sum(file.stat().st_size for file in report.folder.iterdir())
        print(f"{name}: {dict(report.counts)}, {size:,} bytes, changes {report.changes}")
        for repair in report.repairs:
            print(f"  repaired {repair}")
        for finding in report.warnings:
            print(f"  {finding}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
