"""What the commands print is Chinese or English throughout, whichever is asked for."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import drgcore
from drgcore import language
from drgcore.cli.app import app
from drgcore.language import Language
from drgcore.points.policy_file import PRESETS, find_policy, read_toml
from drgcore.schemes import about_dictionaries, list_schemes, load_dictionary, load_scheme
from tests.cli.test_notes import leaves
from tests.schemes.conftest import SMALL, write_csv, write_workbook

WALK = (
    "group raw.parquet out.parquet --unknown-codes unknown.csv",
    "group titled.csv out.csv --mapping auto",
    "group none.csv out.csv",
    "group-one --pdx K80.101 --sex 1 --age 45",
    "group-one --pdx K80 --sex 3 --age 200",
    "explain raw.parquet --row 2",
    "sample s.parquet --rows 20",
    "mapping guess titled.csv",
    "check raw.parquet f.csv",
    "check titled.csv f.csv",
    "cases join --info info.csv --diagnoses diagnoses.csv joined.csv",
    "cases join --info raw.parquet --diagnoses raw.parquet joined.csv",
    "codes search 阑尾炎",
    "codes search zzzzzz",
    "codes about",
    "scheme list",
    "scheme show small.xlsx",
    "scheme show odd",
    "scheme show chs-drg-3.0 --group ES4",
    "scheme show chs-drg-3.0 --code K80.101",
    "scheme check small.xlsx",
    "scheme check odd",
    "scheme compile small.xlsx compiled-LANG --name small",
    "scheme compile odd compiled --name odd",
    "scheme diff small.xlsx other",
    "scheme export small.xlsx exported-LANG",
    "scheme migrate few.parquet",
    "what-if raw.parquet --row 2",
    "what-if raw.parquet --row 2 --policy example --value employee=100 --value resident=90",
    "what-if raw.parquet --pivotal pivotal.csv",
    "points compute cases.parquet --policy example --out earned.parquet",
    "points compute cases.parquet --policy pieces.toml",
    "points explain cases.parquet --id ID --policy example",
    "points explain cases.parquet --id ID --policy pieces.toml",
    "points explain cases.parquet --id none --policy example",
    "points readmissions cases.parquet --policy example",
    "points readmissions cases.parquet --policy pieces.toml",
    "points reviews cases.parquet --policy example --decisions decisions.csv",
    "points compute cases.parquet --policy example --decisions wrong.csv",
    "settle month cases.parquet --month 2027-01 --policy example --ledger LANG.sqlite --close",
    "settle month cases.parquet --month 2027-03 --policy example --ledger LANG.sqlite",
    "settle explain H01 2027-01 --policy example --ledger LANG.sqlite",
    "settle explain H01 2027-05 --policy example --ledger LANG.sqlite",
    "settle trial cases.parquet --year 2027 --policy example --quality quality.csv",
    "settle trial cases.parquet --year 2027 --policy example --quality quality.csv --explain H01",
    "settle trial cases.parquet --year 2027 --policy example --quality wrong.csv",
    "settle year cases.parquet --year 2027 --policy example --ledger LANG.sqlite",
    "settle compare-returned statement.csv --cases cases.parquet --policy example --month 2027-01 "
    "--value employee=100 --value resident=90",
    "ledger adjust LANG.sqlite --month 2027-01 --pool employee --hospital H01 --kind x --amount 9 "
    "--reason y",
    "ledger adjust LANG.sqlite --month 2027-07 --pool employee --hospital H01 --kind x --amount 9 "
    "--reason y",
    "ledger sanction LANG.sqlite cases.parquet sanctions.csv --policy example",
    "ledger list LANG.sqlite",
    "ledger verify LANG.sqlite",
    "policy list",
    "policy check example",
    "policy check bad.toml",
    "policy check asked.toml",
    *(f"policy check {name}" for name in ("national-2025", "zhejiang-2025", "chongqing-2025")),
    *(f"policy show {name}" for name in PRESETS),
    "policy show pieces.toml",
    "policy new blank new-LANG.toml --year 2027",
    "weights statistics cases.parquet",
    "weights base-points cases.parquet --scale 100 --out base.csv --trim iqr-log",
    "weights base-points cases.parquet --scale 100 --out base.csv --trim norm",
    "weights coefficients cases.parquet --of level",
    "forecast shares monthly.csv --monthly --year 2028 --method seasonal_mean --leave-out",
    "forecast shares cases.parquet --year 2028 --value total_cost",
    "scenario compare cases.parquet --policy example --policy two.toml --year 2027",
    "indicators cases.parquet --by hospital",
    "indicators titled.csv --by department",
    "score cases.parquet --by sheet.toml",
    "score cases.parquet --by sheet.toml --explain 骨科",
    "pnl cases.parquet --policy example --value 100 --groups",
    "audit cases.parquet --signals upcoding,few_services,low_indication",
    "in-stay raw.parquet in-stay.csv --history cases.parquet",
    "compare-groups cases.parquet official.csv",
    "serve --port 99999999",
    "nonsense",
    "settle month",
)
"""Commands on small input, right and wrong ones."""

PIECES = """
[[readmissions]]
kind = "splitting"
same = "drg"
hospital = "same"
within_days = 31
[outliers]
pieces = [
  {up_to = 0.4, limit = "next", case_class = "low_cost", rule = "by_cost", rate = 1},
  {up_to = 2, limit = "this", case_class = "normal", a = 1, b = 0, k = "times"},
  {case_class = "high_cost", a = "-1", b = 1, k = "plus", cap = "P·k", cap_multiple = 3},
]
"""

INFO = "setl_id,gend,age,dscg_time\nS1,1,45,2027-01-09\nS2,2,30,2027-01-19\n"
DIAGNOSES = "setl_id,maindiag_flag,diag_code\nS1,1,K80.101\nS9,1,K80.101\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands read."""
    folder = tmp_path_factory.mktemp("both")
    raw = drgcore.sample_cases(250, seed=3, dirty=0.1)
    cases = drgcore.group(drgcore.sample_cases(250, seed=5))
    pq.write_table(raw, folder / "raw.parquet")
    pq.write_table(raw.slice(0, 60), folder / "few.parquet")
    pq.write_table(cases, folder / "cases.parquet")
    frame = cases.to_pandas()[["case_id", "drg", "total_cost", "department", "sex", "age_years"]]
    total = "合计" + "," * (len(frame.columns) - 1)
    text = f"出院病例明细\n{frame.to_csv(index=False)}{total}\n"
    official = frame[["case_id", "drg"]].assign(drg=[frame["drg"][0], *frame["drg"][:-1]])
    ids = frame["case_id"].tolist()
    hospitals = sorted(set(cases["hospital"].to_pylist()))
    scores = "".join(f"{name},80,90,75\n" for name in hospitals)
    months = [f"p,{year}-{month:02d},{month}" for year in (2025, 2026) for month in range(1, 13)]
    example = read_text("example")
    files = {
        "titled.csv": text,
        "official.csv": official.to_csv(index=False),
        "statement.csv": official.head(30).assign(amount=100).to_csv(index=False),
        "info.csv": INFO,
        "diagnoses.csv": DIAGNOSES,
        "decisions.csv": f"case_id,decision,points\n{ids[0]},added,30\n{ids[1]},outside,\n",
        "wrong.csv": f"case_id,decision,points\n{ids[0]},granted,300\n",
        "sanctions.csv": f"case_id,kind,points\n{ids[5]},upcoding,1\n",
        "quality.csv": f"hospital,record quality,readmission,patient burden\n{scores}",
        "monthly.csv": "\n".join(["pool,month,value", *months, "p,2024-05,3"]),
        "bad.toml": 'name = "x"\nbudgets = 3\n',
        "asked.toml": example.replace("n_min", "#").replace("month_payment", "#"),
        "two.toml": example.replace('name = "example"', 'name = "two"').replace("0.95", "0.9"),
        "sheet.toml": 'of = ["department"]\nmin_cases = 5\nmissing = "left_out"\n'
        '[[indicators]]\nname = "cmi"\nweight = 0.5\nzero = 0\ntarget = 1\n'
        '[[indicators]]\nname = "readmission_rate"\nweight = 0.5\nzero = 1\ntarget = 0\n',
    }
    begin, _, rest = example.partition("[outliers.high]")
    files["pieces.toml"] = begin + rest.partition("[by_cost]")[1] + rest.partition("[by_cost]")[2]
    files["pieces.toml"] += PIECES
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    points = find_policy("example").with_name("example-base-points.csv")
    (folder / points.name).write_bytes(points.read_bytes())
    write_workbook(folder / "small.xlsx", SMALL)
    odd = {table: [list(row) for row in rows] for table, rows in SMALL.items()}
    odd["adrg"][3][2] = "ZYZD in DI_NONE"
    odd["adrg"].append(["BS1", "颅内感染", "ZYZD in DI_BR1 and ZYZD not in DI_B00", "MDCB", 3])
    odd["sets"].append(["DI_UNUSED", "G40.900"])
    odd["cc"].append(["I46.900", "EX_9", "CC"])
    write_csv(folder / "odd", odd)
    other = {table: [list(row) for row in rows] for table, rows in SMALL.items()}
    other["drg"][2][1] = "开颅术，伴一般并发症"
    write_csv(folder / "other", other)
    (folder / "id").write_text(ids[0])
    return folder


def read_text(preset: str) -> str:
    """A preset's file."""
    return find_policy(preset).read_text(encoding="utf-8")


def said(folder: Path, words: str, spoken: Language) -> str:
    """What a command prints, and its error."""
    filled = words.replace("LANG", spoken).replace("ID", (folder / "id").read_text())
    # As wide as no line is, so that nothing is broken where a word ends.
    runner = CliRunner(env={"COLUMNS": "400"})
    done = runner.invoke(app, ["--lang", spoken, *shlex.split(filled)])
    error = done.exception
    assert error is None or isinstance(error, drgcore.DrgcoreError | SystemExit), (words, error)
    return f"{done.output}\n{'' if isinstance(error, SystemExit | None) else error}"


# --- Chinese ----------------------------------------------------------------------------------

# Three words of lower case, the first perhaps with a capital, with single blanks between them;
# names of columns that are listed have commas.
_ENGLISH = re.compile(r"(?<![\w./-])[A-Za-z]?[a-z]+(?: [a-z]+){2,}(?![\w./-])")


SAID = {"title", "region", "source", "sources", "states", "fill_in", "articles"}
"""What a preset says in words, which is translated."""


@cache
def own_words() -> tuple[str, ...]:
    """Names that the policies of the walk give their rules, the longest first; of commands."""
    names: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            names.update(value)
            list(map(walk, value.values()))
        elif isinstance(value, list):
            list(map(walk, value))
        elif isinstance(value, str):
            names.add(value)

    for preset in PRESETS:
        data = read_toml(find_policy(preset))
        list(map(data.pop, SAID & data.keys()))
        walk(data)
    names |= {f"root {words}" for words in leaves()}
    return tuple(sorted((name for name in names if " " in name), key=len, reverse=True))


def english(text: str) -> list[str]:
    """The runs of English words in what should be Chinese."""
    for name in own_words():
        text = text.replace(name, "·")
    text = re.sub(r"`[^`]*`|\x1b\[[0-9;]*m", "·", text)
    return _ENGLISH.findall(text)


@pytest.fixture
def unheaded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Headings that were asked for in Chinese and are not in the catalogue."""
    found: set[str] = set()
    catalogue = language._catalogue("zh")
    known = catalogue.pgettext

    def asked(context: str, message: str) -> str:
        text = known(context, message)
        if context == "heading" and text == message and re.search("[a-z]", message):
            found.add(message)
        return text

    monkeypatch.setattr(catalogue, "pgettext", asked)
    return found


def test_chinese_has_no_english_sentence(
    folder: Path, unheaded: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = {words: english(said(folder, words, "zh")) for words in WALK}
    assert {words: runs for words, runs in found.items() if runs} == {}
    assert unheaded == set()


def test_chinese_help_has_no_english_sentence(folder: Path) -> None:
    pages = ["--help", *(f"{words} --help" for words in leaves())]
    found = {page: english(said(folder, page, "zh")) for page in pages}
    assert {page: runs for page, runs in found.items() if runs} == {}


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("病例 3 个：no column drug_cost", []),
        ("病例 3 个：no case with a cost", ["no case with a cost"]),
        ("规则：ZYZD in DI_B00 and NL >= 17", []),
        ("现有：case_id, drg, hospital", []),
        ("床日 long stay, psychiatric and rehabilitation", []),
        ("`drgcore policy check example` 逐项列出", []),
    ],
)
def test_an_english_sentence_is_found(text: str, runs: list[str]) -> None:
    assert english(text) == runs


# --- English ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def names(folder: Path) -> str:
    """All Chinese that cases, schemes, dictionaries and policies have, in one text."""
    parts = [read_text(preset) for preset in PRESETS]
    for scheme in ("chs-drg-2.0", "chs-drg-3.0"):
        tables = load_scheme(scheme).tables
        for level in ("mdc", "adrg", "drg"):
            parts += tables[level]["name"].to_pylist()
    parts += [str(info) for info in list_schemes()]
    parts += [told["system"] for told in about_dictionaries()]
    parts += [str(SMALL), (folder / "other" / "drg.csv").read_text(encoding="utf-8")]
    for kind in ("diagnoses", "procedures"):
        parts += load_dictionary(kind)["name"].to_pylist()
    cases = pq.read_table(folder / "cases.parquet")
    for column in cases.columns:
        if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
            parts += map(str, set(column.to_pylist()))
    return "\n".join(parts)


TERMS = ("国临版", "医保版", "置灰", "国家医保局按病种付费经办规程", "国家医保局预付金管理")
"""What has no English name: the editions of the codes, grey headings, two sources."""


def chinese(text: str, names: str) -> list[str]:
    """The Chinese in what should be English, but for names and for terms in brackets."""
    text = re.sub(r"[(（][^()（）]*[)）]", "", text)
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    return [run for run in runs if run not in TERMS and run not in names]


def test_english_has_no_chinese_but_names(
    folder: Path, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = {words: chinese(said(folder, words, "en"), names) for words in WALK}
    assert {words: runs for words, runs in found.items() if runs} == {}


def test_english_help_has_no_chinese_but_terms(folder: Path, names: str) -> None:
    pages = ["--help", *(f"{words} --help" for words in leaves())]
    found = {page: chinese(said(folder, page, "en"), names) for page in pages}
    assert {page: runs for page, runs in found.items() if runs} == {}
