"""A PostgreSQL server of its own for the ledger's tests, where its programs are installed."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port


def programs() -> Path | None:
    """The folder with initdb and postgres: Debian keeps it out of the PATH."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def another_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; root lends it a user without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server on a temporary folder and give the address of an empty database."""
    if (
        importlib.util.find_spec("sqlalchemy") is None
        or importlib.util.find_spec("psycopg") is None
    ):
        pytest.skip("the extra postgres (sqlalchemy, psycopg) is not installed")
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (no initdb and postgres)")
    user = another_user()
    if os.geteuid() == 0 and user is None:
        pytest.skip("PostgreSQL does not run as root and there is no other user")
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with tempfile.TemporaryDirectory(prefix="drgcore-pg-") as home:
        data = Path(home) / "data"
        if user:
            os.chown(home, user.pw_uid, user.pw_gid)
        options = {"cwd": home, "stdout": subprocess.DEVNULL, **identity}
        initdb = [folder / "initdb", "-D", data, "-U", "bureau", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, **options)
        port = free_port()
        control = [folder / "pg_ctl", "-D", data, "-w", "-l", Path(home) / "log"]
        start = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run([*control, "-o", start, "start"], check=True, **options)
        try:
            yield f"postgresql://bureau@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **options)
