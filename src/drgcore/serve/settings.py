"""What a server is told when it starts."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drgcore.errors import DrgcoreError
from drgcore.language import _

if TYPE_CHECKING:
    from drgcore.serve.ward import InHouse

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

WORK = ".drgcore-batches"
"""Folder of batches in a data folder."""

_SHORTEST_TOKEN = 16
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts.

    Parameters
    ----------
    host : str
        Address to listen at. Any other than this machine's own (loopback) needs a token.
    port : int
    token : str, optional
        Who has it may use the server; without it everybody who reaches it may.
    names : tuple of str
        Further names by which browsers may reach the server, such as that of a proxy.
    data : tuple of Path
        Folders with files to look at; nothing there is changed.
    ledgers : tuple of str
        Addresses of further ledgers, ``postgresql://user@host/database``, which are only read.
    work : Path, optional
        Folder for uploads and results of batches; by default `WORK` in the first data folder, and
        without one a folder that ends with the server.
    lang : {"zh", "en"}, optional
        Language of the pages; by default what the browser asks for.
    in_house : InHouse, optional
        Where patients in house are read.
    max_body, max_upload : int
        Largest body of a request, and of an upload [bytes].
    max_rows : int
        Most cases in one request; a batch may have more.
    seconds : float
        Longest time that a request may take [s].
    keep_hours : float
        After this time uploads and results of a batch are removed that are not to be kept [h].
    idle_hours : float
        A browser's session is over when nothing was asked in it for so long [h].

    Raises
    ------
    DrgcoreError
        The address is another machine's to reach and there is no token; the language is not known;
        a folder is not there.

    Examples
    --------
    >>> Settings().loopback
    True
    >>> Settings(host="0.0.0.0")
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: at 0.0.0.0 other machines reach the server, and it has no token
    Give a file with a token (--token-file), or listen at 127.0.0.1.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    names: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    ledgers: tuple[str, ...] = ()
    work: Path | None = None
    lang: Language | None = None
    in_house: InHouse | None = None
    max_body: int = 256 * _MEGABYTE
    max_upload: int = 2048 * _MEGABYTE
    max_rows: int = 2_000_000
    seconds: float = 60.0
    keep_hours: float = 12.0
    idle_hours: float = 2.0

    def __post_init__(self) -> None:
        if self.token is None and not self.loopback:
            raise DrgcoreError(
                _("at {host} other machines reach the server, and it has no token", host=self.host),
                hint=_("Give a file with a token (--token-file), or listen at 127.0.0.1."),
            )
        if self.lang is not None and self.lang not in LANGUAGES:
            raise DrgcoreError(
                _("there is no language {name!r}", name=self.lang), hint=_("Languages: zh, en.")
            )
        for folder in self.data:
            if not folder.is_dir():
                raise DrgcoreError(
                    _("{folder} is no folder", folder=folder), hint=_("--data names folders.")
                )

        for address in self.ledgers:
            if not address.startswith("postgresql://"):
                raise DrgcoreError(
                    _("an address of a ledger begins with postgresql://"),
                    hint=_("Ledgers in files are found in the folders of --data."),
                )

    @property
    def work_folder(self) -> Path | None:
        """Where batches lie: as said, else in the first data folder; None where there is none."""
        if self.work is None and self.data:
            return self.data[0] / WORK
        return self.work

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str]:
        """The names that a request may call the server by; none where any may be."""
        if not self.loopback and not self.names:
            # Behind a name that nobody told; there is a token, which a strange page cannot know.
            return frozenset()
        own = {"localhost", "127.0.0.1", "::1", self.host}
        return frozenset(name.lower() for name in (*own, *self.names))


def read_token(path: Path) -> str:
    """The token in a file: its first line.

    Parameters
    ----------
    path : Path
        Only its owner should be able to read it.

    Raises
    ------
    DrgcoreError
        The file cannot be read, others may read it, or its token is too short to be safe.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "token"
    >>> _ = path.write_text("short")
    >>> path.chmod(0o600)
    >>> read_token(path)
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: ...token: the token has fewer than 16 characters
    Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"
    """
    try:
        text = path.read_text(encoding="utf-8")
        others = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise DrgcoreError(
            _("the token cannot be read: {why}", why=error), where=str(path)
        ) from None
    # Rights of files mean nothing where the system knows no such rights.
    if os.name == "posix" and others:
        raise DrgcoreError(
            _("others than its owner may read the token"),
            where=str(path),
            hint=_("chmod 600 the file."),
        )
    token = next(iter(text.splitlines()), "").strip()
    if len(token) < _SHORTEST_TOKEN:
        raise DrgcoreError(
            _("the token has fewer than {count} characters", count=_SHORTEST_TOKEN),
            where=str(path),
            hint=_('Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'),
        )
    return token
