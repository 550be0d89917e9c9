"""Sheets of .xlsx too large to be held whole, read in pieces of rows.

calamine holds a sheet as a rectangle of cells, filled or not: 200,000 rows of 800 columns are some
6 GB. Here the sheet's XML is cut between rows, and each piece is given to calamine as the sheet of
a small workbook that has the styles and texts of the large one. So every cell is read by the same
program with the same result, and memory depends on the piece.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath
from typing import IO, Any
from xml.etree import ElementTree

from python_calamine import CalamineWorkbook

# A sheet is large from either on: calamine needs 32 bytes for a cell of the rectangle.
LARGE_CELLS = 1 << 22
LARGE_BYTES = 32 << 20
PIECE_CELLS = 1 << 21
PIECE_BYTES = 32 << 20

_WORKBOOK = re.compile(r"xl/workbook\d*\.xml")
_NOT_NEEDED = re.compile(r"xl/(worksheets|media|drawings|charts|embeddings|pivot\w*)/")
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*ref="[A-Z]+\d+:([A-Z]+)(\d+)"')
_SHEET_DATA = re.compile(rb"<(\w+:)?sheetData(?:\s[^>]*)?(?<!/)>")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_NUMBERED = re.compile(rb'<(?:\w+:)?(?:row|c)\s[^>]*?\br="[A-Z]*\d+"')
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
# The names of all columns, and their widths, stand within these bytes.
_HEAD_BYTES = 2 << 20
_READ_BYTES = 1 << 20
_FIRST_ROWS = 40
# Texts take about as many bytes as cells that refer to them: a piece is no smaller than the texts,
# which each piece brings along.
_BYTES_OF_CELL = 16


def large_sheets(path: Path) -> dict[str, str]:
    """Find the sheets of a workbook that are to be read in pieces.

    Parameters
    ----------
    path : Path
        A workbook of any kind; only .xlsx and .xlsm can have such sheets.

    Returns
    -------
    dict of str to str
        The part of the file that holds the sheet, by the sheet's name.

    Raises
    ------
    Exception
        The file is damaged; of many kinds, as libraries raise them.

    Examples
    --------
    >>> import tempfile, xlsxwriter
    >>> path = Path(tempfile.mkdtemp(), "small.xlsx")
    >>> with xlsxwriter.Workbook(path) as book:
    ...     _ = book.add_worksheet("2027").write("A1", "id")
    >>> large_sheets(path)
    {}
    """
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as book:
        sizes = {entry.filename: entry.file_size for entry in book.infolist()}
        workbook = next(filter(_WORKBOOK.fullmatch, sizes), None)
        if workbook is None:
            return {}
        large = {part for part, size in sizes.items() if "/worksheets/" in part}
        large = {part for part in large if _is_large(book, part, sizes[part])}
        return _parts(book, workbook, large) if large else {}


def rows_in_pieces(path: Path, name: str, part: str) -> Iterator[list[Any]]:
    """Read the rows of a sheet in pieces.

    Parameters
    ----------
    path : Path
        The workbook.
    name, part : str
        Of the sheet, as `large_sheets` gives them.

    Yields
    ------
    list
        Cells as calamine gives them, from the sheet's first row and column on; shorter where the
        sheet is empty. Nothing from an empty sheet.

    Raises
    ------
    Exception
        The file is damaged; of many kinds, as libraries raise them.
    """
    with zipfile.ZipFile(path) as book:
        frame, texts = _frame(book)
        done = 0
        with book.open(part) as xml:
            for piece in _pieces(xml, texts):
                if b"<!" in piece:
                    # No program writes them, and they may hold what looks like the end of a row.
                    raise ValueError("a comment or CDATA among the cells")
                small = io.BytesIO(frame)
                with zipfile.ZipFile(small, "a") as written:
                    written.writestr(part, piece)
                small.seek(0)
                sheet = CalamineWorkbook.from_filelike(small).get_sheet_by_name(name)
                # Rows that do not say their number follow on those before.
                numbered = _NUMBERED.search(piece) is not None
                rows = 0 if numbered else len(_ROW.findall(piece))
                if sheet.start is not None:
                    row, column = sheet.start
                    first = row if numbered else done + row
                    yield from ([] for _ in range(done, first))
                    for cells in sheet.to_python():
                        yield [*[""] * column, *cells]
                    rows = rows or first + sheet.height - done
                done += rows


def _is_large(book: zipfile.ZipFile, part: str, size: int) -> bool:
    with book.open(part) as xml:
        start = xml.read(_HEAD_BYTES)
    cells = 0
    if told := _DIMENSION.search(start):
        column = 0
        for letter in told[1]:
            column = column * 26 + letter - 64
        cells = column * int(told[2])
    # What cannot be cut is left to calamine as it is.
    return (size > LARGE_BYTES or cells > LARGE_CELLS) and bool(_SHEET_DATA.search(start))


def _parts(book: zipfile.ZipFile, workbook: str, large: set[str]) -> dict[str, str]:
    folder, file = workbook.split("/")
    relations = ElementTree.fromstring(book.read(f"{folder}/_rels/{file}.rels"))
    # A target is relative to the workbook, or absolute.
    targets = {
        item.get("Id"): normpath(join("/" + folder, item.get("Target", ""))).lstrip("/")
        for item in relations
    }
    found = {}
    for sheet in ElementTree.fromstring(book.read(workbook)).iterfind(".//{*}sheets/{*}sheet"):
        ids = [value for key, value in sheet.items() if key.endswith("}id")]
        part = targets.get(ids[0]) if ids else None
        if part in large:
            found[sheet.get("name", "")] = part
    return found


def _frame(book: zipfile.ZipFile) -> tuple[bytes, int]:
    """The workbook without its sheets, and the size of the texts that they share."""
    frame = io.BytesIO()
    texts = 0
    with zipfile.ZipFile(frame, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as small:
        for entry in book.infolist():
            if not _NOT_NEEDED.match(entry.filename) and not entry.is_dir():
                small.writestr(entry.filename, book.read(entry))
                texts = max(texts, entry.file_size)
    return frame.getvalue(), texts


def _pieces(xml: IO[bytes], texts: int) -> Iterator[bytes]:
    """Cut a sheet between rows into sheets."""
    buffer = bytearray(xml.read(_HEAD_BYTES))
    start = _SHEET_DATA.search(buffer)
    if start is None:
        raise ValueError("the sheet has no rows")
    prefix = start[1] or b""
    row_end, data_end = b"</%srow>" % prefix, b"</%ssheetData>" % prefix
    head, tail = bytes(buffer[: start.end()]), b"%s</%sworksheet>" % (data_end, prefix)
    del buffer[: start.end()]
    first_rows = bytes(buffer).split(row_end)[:_FIRST_ROWS]
    width = max(1, *(len(_CELL.findall(row)) for row in first_rows))
    most_rows = max(1, max(PIECE_CELLS, texts // _BYTES_OF_CELL) // width)
    most_bytes = max(PIECE_BYTES, texts)
    rows = known = 0
    while True:
        # A tag that was cut off before is whole now: none is found twice.
        rows += buffer.count(row_end, max(0, known - len(row_end) + 1))
        end = buffer.find(data_end, max(0, known - len(data_end) + 1))
        if end >= 0:
            yield head + bytes(buffer[:end]) + tail
            return
        if rows and (rows >= most_rows or len(buffer) >= most_bytes):
            cut = buffer.rfind(row_end) + len(row_end)
            yield head + bytes(buffer[:cut]) + tail
            del buffer[:cut]
            rows = 0
        known = len(buffer)
        more = xml.read(_READ_BYTES)
        if not more:
            raise ValueError("the sheet has no end")
        buffer += more
