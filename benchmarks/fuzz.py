"""Damaged files: none may end in anything but an error that says so, or in all of its rows.

Makes files of every kind that is read, damages each a little (bytes turned, cut out, put in,
moved), and reads them as `group` and `settle` do. It stops at the first find and keeps the file.
Killed, it goes on where it was: each round is made from its number alone.

    python benchmarks/fuzz.py --rounds 100000 --folder build/fuzz
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import drgcore
from drgcore.cases import CaseMapping, read_table
from drgcore.points import Policy

ROWS = 20
SECONDS = 60


def whole_files() -> dict[str, bytes]:
    """One sound file of each kind."""
    cases = drgcore.sample_cases(ROWS, seed=5)
    frame = cases.to_pandas()
    for name in frame.columns:
        if (
            frame[name]
            .map(lambda cell: hasattr(cell, "__len__") and not isinstance(cell, str))
            .any()
        ):
            frame[name] = frame[name].map(lambda cell: "|".join(cell) if cell is not None else "")
    files = {}
    sink = io.BytesIO()
    pq.write_table(cases, sink)
    files["cases.parquet"] = sink.getvalue()
    sink = io.BytesIO()
    plain = pa.Table.from_pandas(frame.astype(str))
    pq.write_table(plain, sink, compression="none", use_dictionary=True)
    files["plain.parquet"] = sink.getvalue()
    text = frame.to_csv(index=False)
    files["cases.csv"] = text.encode()
    files["gbk.csv"] = frame.assign(sex="女").to_csv(index=False).encode("gb18030")
    files["utf16.csv"] = text.encode("utf-16")
    sink = io.BytesIO()
    frame.astype(str).to_excel(sink, index=False, engine="xlsxwriter")
    files["cases.xlsx"] = sink.getvalue()
    files["mapping.toml"] = b'preset = "hqms"\nsex = "XB"\nseparator = ";"\n[columns]\nflag = "f"\n'
    files["policy.toml"] = Policy.load("example").text.encode()
    return files


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one to four damages."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        size = chance.choice((1, 1, 2, 8, 64))
        kind = chance.randrange(6)
        if kind == 0 and data:
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at : at + size] = b""
        elif kind == 2:
            data[at:at] = chance.randbytes(size)
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = data[chance.randrange(len(data) or 1) :][:size]
        else:
            data[at : at + size] = chance.choice((b'"', b",", b"\n", b"\0", b"\xff", b"'")) * size
    return bytes(data)


def read(path: Path, out: Path) -> None:
    """Read a file in all the ways that commands do; errors other than the package's come out."""
    if path.name == "mapping.toml":
        ways: list[Callable[[], object]] = [lambda: CaseMapping.from_file(path)]
    elif path.name == "policy.toml":
        ways = [lambda: Policy.load(str(path))]
    else:
        ways = [lambda: read_table(path), lambda: drgcore.group_file(path, out, threads=1)]
    for way in ways:
        out.unlink(missing_ok=True)
        try:
            way()
        except drgcore.DrgcoreError:
            left = [other.name for other in out.parent.glob(f"*{out.name}*")]
            if left:
                raise AssertionError(f"an error left {left}") from None


def rounds(folder: Path, first: int, last: int, tell: Callable[[int], None]) -> None:
    """Read the damaged files of the rounds from `first` to `last` (not included)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = whole_files()
    names = sorted(files)
    for number in range(first, last):
        chance = random.Random(number)
        name = names[number % len(names)]
        path, out = (
            folder / name,
            folder / "out" / f"out{('.parquet', '.csv', '.xlsx')[number % 3]}",
        )
        out.parent.mkdir(exist_ok=True)
        path.write_bytes(damaged(files[name], chance))
        # A file that hangs ends the run with a trace of where.
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(path, out)
        except BaseException:
            kept = folder / f"find-{number}-{name}"
            path.replace(kept)
            print(f"round {number}: {kept}", file=sys.stderr)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        tell(number + 1)


def main() -> None:
    """Run the rounds that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    record = chosen.folder / "done"
    first = int(record.read_text()) if record.exists() else 0
    start = time.monotonic()

    def tell(done: int) -> None:
        if done % 200 == 0 or done == chosen.rounds:
            record.write_text(str(done))
        if done % 5000 == 0:
            print(f"{done:,} damaged files, {time.monotonic() - start:,.0f} s", flush=True)

    rounds(chosen.folder, first, chosen.rounds, tell)
    print(f"{chosen.rounds:,} damaged files: each an error that says so, or read whole")


if __name__ == "__main__":
    main()
