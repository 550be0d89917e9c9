"""Where a table's header stands, and rows that are no cases: titles, totals, repeated headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from drgcore.language import N_, _

LOOKED_AT = 40
"""Rows at the beginning of a file in which the header is looked for."""

TOTAL_WORDS = (
    *("合计", "总计", "小计", "共计", "合 计", "总 计", "合计:", "合计：", "总计:", "总计："),
    *("total", "Total", "TOTAL", "sum", "Sum", "SUM", "grand total", "Grand Total"),
)
"""What the first filled cell of a row of totals says."""

FOOTER = (
    r"^(?:(?:制表|打印|审核|复核|填表|填报|报表)(?:人员?|者|日期|时间|单位|机构|部门)?(?:[:：\s]|$)"
    r"|单位负责人|统计负责人|(?:注|说明|备注)[:：])"
)
"""How the first filled cell of a line below the cases begins; 审核科 begins a case."""

OF_A_CASE = r"^\s*(?:[A-Za-z]\d{2}(?:[.\dXx]|$)|[A-Za-z]{2}\d|(?i:MDC)[A-Z])"
"""How a diagnosis or a group begins: a row that holds one is a case, whatever its id says."""

# Rows that a note names; of the others it says how many there are.
_SHOWN_ROWS = 5
# Rows of headings below the row of codes at most.
_MOST_HEADINGS = 2
# A column of the national front-page export, an ASCII name such as hospital_level, or a
# settlement list's name such as setl_id.
_CODE = re.compile(r"[A-Za-z]\d{2}[A-Za-z0-9]{0,6}|[A-Za-z]+(?:_[A-Za-z0-9]+)+")
# Names that no row of cases holds twice.
_KNOWN = frozenset(
    (
        *("a48", "a12c", "a14", "a16", "a17", "b12", "b15", "b20", "c03c", "c14x01c", "d01"),
        *("case_id", "hospital", "pool", "sex", "age", "age_years", "drg", "adrg", "mdc"),
        *("status", "points", "kappa", "decision", "kind", "discharge_date", "total_cost"),
        *("principal_diagnosis", "other_diagnoses", "principal_procedure", "relative_weight"),
        *("zyzd", "qtzd", "xb", "nl", "bah", "jbdm", "setl_id", "mdtrt_id", "psn_no"),
    )
)
_HEADING = re.compile(
    "编码|编号|名称|代码|日期|时间|费用?|金额|诊断|手术|操作|年龄|性别|科室|科别|病案|住院|出院|入院|^医院$|(?:医院|机构)(?=.)"
    "|天数|次数|体重|姓名|方式|类型|类别|标志|等级|主诊|其他|分组|状态|序号|医保(?=.)|统筹|病组|权重|点数|离院|ICD"
)
_VALUE = re.compile(r"[-+]?[\d.,]+%?|\d{4}[-/年.]\d{1,2}.*|[A-Za-z]\d{2}[.].*|\d{2}[.]\d.*")


@dataclass(frozen=True)
class Layout:
    """Where the header stands.

    Parameters
    ----------
    header : int
        Place of the row of names among the rows looked at, from 0.
    first : int
        Place of the first row below the header.
    notes : tuple of str
        What was passed over, as a reader is told.
    """

    header: int
    first: int
    notes: tuple[str, ...]


def find_layout(rows: Sequence[Sequence[str]]) -> Layout:
    """Find the row of column names among the first rows of a table.

    A row of known codes is the header, wherever it stands; rows of headings next below it belong to
    it. Else it is the first row that fills at least half of the columns, so that titles above it,
    also padded or merged ones, are passed over.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows, cells as text; at most `LOOKED_AT` of them matter.

    Returns
    -------
    Layout

    Examples
    --------
    >>> find_layout([["某医院出院病例", "", ""], ["A48", "C03C", "A14"], ["1", "J18.900", "60"]])
    Layout(header=1, first=2, notes=('row 1 above the column names left out',))
    >>> find_layout([["A48", "A14"], ["病案号", "年龄"], ["1", "60"]]).notes
    ('row 2, a second row of column names, left out',)
    """
    filled = [[cell.strip() for cell in row if cell and cell.strip()] for row in rows[:LOOKED_AT]]
    # A line that begins with # is a comment, one cell of it or many.
    filled = [["#"] if cells and cells[0][0] == "#" != cells[0] else cells for cells in filled]
    width = max((len(cells) for cells in filled), default=0)
    header = next((i for i, cells in enumerate(filled) if _is_codes(cells)), None)
    if header is None:
        enough = max(2, (width + 1) // 2) if width > 1 else 1
        # A beginning that has no such row is taken as it stands.
        header = next((i for i, cells in enumerate(filled) if len(cells) >= enough), 0)
    above = [i + 1 for i in range(header) if filled[i] and filled[i] != ["#"]]
    first = header + 1
    if _is_codes(filled[header]):
        below = takewhile(lambda cells: _is_headings(cells, width), filled[first:])
        number = len(list(below))
        # Many rows of words, or nothing but them, are values: of a table of hospitals, for example.
        if number <= _MOST_HEADINGS and any(filled[first + number :]):
            first += number
    notes = []
    if above:
        notes.append(note_of(N_("above the column names"), above))
    notes += [
        _("row {row}, a second row of column names, left out", row=i + 1)
        for i in range(header + 1, first)
    ]
    return Layout(header, first, tuple(notes))


def note_of(what: str, rows: Sequence[int]) -> str:
    """Say how many rows were left out, and which.

    Examples
    --------
    >>> note_of("without any value", [3, 9])
    'rows 3, 9 without any value left out'
    """
    return _("{rows} {what} left out", rows=rows_as_text(rows), what=_(what))


def rows_as_text(rows: Sequence[int]) -> str:
    """Name the first rows of many.

    Examples
    --------
    >>> rows_as_text([7]), rows_as_text(range(1, 9))
    ('row 7', 'rows 1, 2, 3, 4, 5 and 3 more')
    """
    more = _(" and {count} more", count=len(rows) - _SHOWN_ROWS) if len(rows) > _SHOWN_ROWS else ""
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS])) + more
    return _("rows {rows}", rows=shown) if len(rows) > 1 else _("row {rows}", rows=shown)


def _is_codes(cells: Sequence[str]) -> bool:
    certain = sum(cell.casefold() in _KNOWN for cell in cells)
    codes = sum(bool(_CODE.fullmatch(cell)) or cell.casefold() in _KNOWN for cell in cells)
    return certain >= 2 and codes * 5 >= len(cells) * 3


def _is_headings(cells: Sequence[str], width: int) -> bool:
    if len(cells) * 2 < width or any(_VALUE.fullmatch(cell) for cell in cells):
        return False
    # A case may hold some words that headings hold too.
    return sum(bool(_HEADING.search(cell)) for cell in cells) * 5 >= len(cells) * 4
