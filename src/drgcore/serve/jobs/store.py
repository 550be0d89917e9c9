"""The store of batches on disk: each a folder, told of by one file that is there whole or not."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from drgcore.errors import DrgcoreError
from drgcore.files import whole_file
from drgcore.language import Language, _

State = Literal["waiting", "queued", "running", "done", "failed"]

_FILE = "job.json"
_LOCK = ".server.lock"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Job:
    """One batch.

    Parameters
    ----------
    id : str
        Cannot be guessed; the name of its folder.
    name, kind : str
        Of the upload: its name as shown, its ending.
    state : str
        ``waiting`` for its mapping, ``queued``, ``running``, ``done`` or ``failed``.
    keep : bool
        Whether upload and results stay until somebody removes them.
    visit : str
        The session of the browser that uploaded it; empty for a program's.
    asked : dict
        What is to be done, see `work.BatchAsked`.
    lang : {"zh", "en"} or None
        The language of who asked for it; by default the process's.
    created, ended : float
        Seconds since the epoch.
    rows, total : int or None
        Cases that are done, and of how many, where that is known.
    told : dict
        The summary, when it is done.
    error : dict or None
        What was wrong, when it failed.
    files : list of str
        Names of results.
    """

    id: str
    name: str
    kind: str
    state: State = "waiting"
    keep: bool = False
    visit: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    lang: Language | None = None
    created: float = 0.0
    ended: float | None = None
    rows: int = 0
    total: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    files: list[str] = field(default_factory=list)
    cancelled: bool = False


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Hold a folder of batches for one server alone, as long as the block lasts.

    The system holds the lock: it ends with the process, however that ends.

    Parameters
    ----------
    folder : Path
        Made if it is not there; for its owner alone.

    Raises
    ------
    DrgcoreError
        Another server uses the folder, or it cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with held_alone(folder), held_alone(folder):
    ...     pass
    Traceback (most recent call last):
    drgcore.errors.DrgcoreError: ...: another server uses this folder of batches
    Stop it, or give this one a folder of its own with --work.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0, mode=0o600, is_singleton=False)
        lock.acquire()
    except Timeout:
        raise DrgcoreError(
            _("another server uses this folder of batches"),
            where=str(folder),
            hint=_("Stop it, or give this one a folder of its own with --work."),
        ) from None
    except OSError as error:
        raise _unusable(folder, error) from None
    try:
        yield
    finally:
        lock.release()


def _unusable(folder: Path, error: OSError) -> DrgcoreError:
    return DrgcoreError(
        _("the folder of batches cannot be used: {why}", why=error.strerror), where=str(folder)
    )


class JobStore:
    """The batches in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there; for its owner alone.
    keep_seconds : float
        After this time a batch that is not to be kept is removed.
    clock : callable, optional
    over : callable, optional
        Whether the session of a browser is over.

    Examples
    --------
    >>> import tempfile
    >>> store = JobStore(Path(tempfile.mkdtemp()), 3600)
    >>> job = store.add("cases.csv", ".csv", keep=False)
    >>> store.upload(job).touch()
    >>> [one.state for one in JobStore(store.folder, 3600).jobs()]
    ['waiting']
    """

    def __init__(
        self,
        folder: Path,
        keep_seconds: float,
        clock: Callable[[], float] = time.time,
        over: Callable[[str], bool] = lambda visit: False,
    ) -> None:
        self.folder, self._keep, self._clock, self._over = folder, keep_seconds, clock, over
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._load()
        except OSError as error:
            raise _unusable(folder, error) from None

    def _load(self) -> None:
        known = {f.name for f in fields(Job)}
        for place in self.folder.iterdir():
            if not _ID.fullmatch(place.name):
                continue
            job: Job | None
            try:
                told = json.loads((place / _FILE).read_text(encoding="utf-8"))
                job = Job(**{name: value for name, value in told.items() if name in known})
            except (OSError, ValueError, TypeError):
                job = None
            if job is None or (job.state == "waiting" and not self.upload(job).exists()):
                # The server was killed in an upload: there is nothing that anybody waits for.
                shutil.rmtree(place, ignore_errors=True)
                continue
            if job.state == "running":
                # It was killed at work; the upload is still there, so it begins anew.
                job.state, job.rows = "queued", 0
            elif job.state in ("done", "failed") and not job.keep:
                # Killed between the two steps of `end`.
                self.upload(job).unlink(missing_ok=True)
            self._jobs[job.id] = job

    def add(self, name: str, kind: str, *, keep: bool, visit: str = "") -> Job:
        """A new batch, with its folder."""
        job = Job(secrets.token_hex(16), name, kind, keep=keep, visit=visit, created=self._clock())
        self.place(job).mkdir(mode=0o700)
        with self._lock:
            self._jobs[job.id] = job
        self.save(job)
        return job

    def place(self, job: Job) -> Path:
        """The folder of a batch."""
        return self.folder / job.id

    def upload(self, job: Job) -> Path:
        """Where the upload of a batch lies."""
        return self.place(job) / f"upload{job.kind}"

    def get(self, job_id: str) -> Job | None:
        """The batch of that id, if there is one."""
        with self._lock:
            return self._jobs.get(job_id)

    def jobs(self) -> list[Job]:
        """All batches, the latest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.created)

    def save(self, job: Job) -> None:
        """Write down what is known of a batch."""
        with whole_file(self.place(job) / _FILE) as part:
            part.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")

    def end(self, job: Job, state: State) -> None:
        """A batch is done or has failed; its upload is removed unless it is to be kept."""
        job.ended = self._clock()
        job.state = state
        self.save(job)
        if not job.keep:
            self.upload(job).unlink(missing_ok=True)

    def remove(self, job: Job) -> None:
        """Remove a batch with all its files."""
        job.cancelled = True
        with self._lock:
            self._jobs.pop(job.id, None)
        shutil.rmtree(self.place(job), ignore_errors=True)

    def remove_old(self) -> None:
        """Remove batches that are over and not to be kept, after their time or their session."""
        before = self._clock() - self._keep
        for job in self.jobs():
            over = job.ended if job.ended is not None else job.created
            ended = over < before or (bool(job.visit) and self._over(job.visit))
            if ended and not job.keep and job.state not in ("queued", "running"):
                self.remove(job)

    def end_visit(self, visit: str) -> None:
        """Remove what a browser uploaded and does not keep, even if it is worked on."""
        for job in self.jobs():
            if job.visit == visit and not job.keep:
                self.remove(job)

    def end_visits(self) -> None:
        """The server stops: remove what browsers uploaded, do not keep and do not wait for."""
        for job in self.jobs():
            if job.visit and not job.keep and job.state not in ("queued", "running"):
                self.remove(job)
