"""A process with the modules that commands need, which runs them in forks of itself.

Reads one JSON object a line: `argv`, `log` (where the command's output goes), `environment`, and
`at` with `signal`: the command sends itself that signal just before its file operation number `at`
(0: never); and `limit`, the bytes that a file may have, as on a disk that is full then (0: any).
Answers the process's number when it runs, and when it has ended its exit code with the marks that
it left: that the command began, one for each file operation, that it is over. So of a process that
was killed, too, it is known whether the command was at work, and how far it was.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

OPERATIONS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree"}
OPERATIONS |= {"sqlite3.connect", "os.truncate", "fcntl.flock"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_BEGUN, _DONE, _OVER = b"b", b".", b"o"
_OUTPUT = 1 << 20

MODULES = ("drgcore.cli.app", "drgcore.cli.group", "drgcore.cli.check", "drgcore.cli.settle")
MODULES += ("drgcore.cli.ledger", "drgcore.cli.scheme", "drgcore.synthetic", "pyarrow.csv")
MODULES += ("pyarrow.parquet", "xlsxwriter")


def tell_operations(at: int, number: int, told: int) -> None:
    """Tell of file operations from now on, and send the signal just before one of them."""
    seen = 0

    def noticed(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        if event in OPERATIONS or writes:
            seen += 1
            os.write(told, _DONE)
            if seen == at:
                os.kill(os.getpid(), number)

    sys.addaudithook(noticed)


def run(asked: dict[str, object], told: int, log: int) -> None:
    """In the fork: the command, as its own process group, with its own output."""
    for place in (0, 1, 2):
        os.dup2(log if place else os.open(os.devnull, os.O_RDONLY), place)
    # Those of the process around may stand for files, which are written otherwise than pipes.
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))
    os.environ.update(asked["environment"])
    if asked["limit"]:
        # Many a Python keeps bytecode that was cut off there, and loads no library from it again.
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(asked["limit"]), resource.RLIM_INFINITY))
    tempfile.tempdir = None
    from drgcore.cli import app

    sys.argv = ["drgcore", *asked["argv"]]
    tell_operations(int(asked["at"]), int(asked["signal"]), told)
    os.write(told, _BEGUN)
    code = 0
    try:
        app.main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        traceback.print_exc()
        code = 70
    os.write(told, _OVER)
    sys.stdout.flush()
    os._exit(code)


def drained(pipe: int) -> bytes:
    """What is in a pipe whose other end the command's own children may still hold."""
    os.set_blocking(pipe, False)
    try:
        return os.read(pipe, _OUTPUT)
    except BlockingIOError:
        return b""
    finally:
        os.close(pipe)


def main() -> None:
    for name in (*MODULES, *sys.argv[1:]):
        import_module(name)
    import drgcore

    # The compiled loop is loaded once, for all.
    with tempfile.TemporaryDirectory() as folder:
        drgcore.write_sample(Path(folder) / "a.parquet", rows=100, seed=1)
        drgcore.group_file(Path(folder) / "a.parquet", Path(folder) / "b.parquet", threads=1)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        hear, told = os.pipe()
        listen, log = os.pipe()
        # A file would be as full as the disk whose end is tried.
        if sys.platform == "linux":
            fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, _OUTPUT)
        child = os.fork()
        if not child:
            os.close(hear)
            os.close(listen)
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            run(asked, told, log)
        os.close(told)
        os.close(log)
        print(child, flush=True)
        status = os.waitpid(child, 0)[1]
        Path(asked["log"]).write_bytes(drained(listen))
        print(os.waitstatus_to_exitcode(status), drained(hear).decode() or "-", flush=True)


if __name__ == "__main__":
    main()
