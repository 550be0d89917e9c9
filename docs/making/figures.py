"""The figures of the site, drawn from a made-up region when the pages are built."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pandas as pd

import drgcore
from drgcore.cli.tables import write_all
from drgcore.report import ReportInputs, Settled, make_report
from drgcore.report.svg import svg_of

YEAR = 2027
ROWS = 20_000
TITLES = {"en": "Figures", "zh": "图"}
INTRODUCTIONS = {
    "en": "Of a fictitious region's year, drawn by the report of the year when these pages were "
    "built: each figure with what to see in it. A report has its tables beside its figures "
    "([reports](reports.md)).",
    "zh": "取自虚构地区的一年，由年报在生成本文档时绘制；每幅图附一句“看什么”。"
    "报告中每幅图旁都有数据表（[报告](reports.md)）。",
}


def _year() -> ReportInputs:
    """A year of the fictitious region, settled by the policy that is shipped."""
    grouped = drgcore.group(drgcore.sample_cases(ROWS, seed=YEAR, year=YEAR))
    policy = drgcore.Policy.load("example")
    scores = pd.DataFrame({"hospital": sorted(set(grouped["hospital"].to_pylist()))})
    scores = scores.assign(**{"record quality": 88, "readmission": 90, "patient burden": 84})
    trial = drgcore.settle_trial(grouped, policy, YEAR, scores)
    with tempfile.TemporaryDirectory() as folder:
        write_all(trial.tables(plain=True), Path(folder))
        settled = Settled.from_files(folder)
    return ReportInputs(grouped, settled, period=str(YEAR), policy=policy)


def write_figures(made: Path) -> None:
    """Write each figure of the report of a year as SVG, and the page that shows them, twice."""
    folder = made / "figures"
    folder.mkdir()
    inputs = _year()
    for language in ("en", "zh"):
        report = make_report("year", inputs, language)
        lines = [f"# {TITLES[language]}", "", INTRODUCTIONS[language], ""]
        for section in report.sections:
            if section.figure is None:
                continue
            name = f"{section.key}.{language}.svg"
            drawn = svg_of(section.figure(), section.key, section.alt or section.title)
            (folder / name).write_text(_alone(drawn), "utf-8")
            lines += [f"## {section.title}", "", f"![{section.title}](figures/{name})", ""]
            lines += [section.sentence, ""]
        end = ".md" if language == "en" else f".{language}.md"
        (made / f"figures{end}").write_text("\n".join(lines), "utf-8")


def _alone(svg: str) -> str:
    """An `svg` element as a file of its own, in the fonts of the reader's machine."""
    if "xmlns=" not in svg.partition(">")[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return re.sub(r"<svg", '<svg font-family="sans-serif"', svg, count=1)
