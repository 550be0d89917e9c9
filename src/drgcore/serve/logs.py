"""The log: one line of JSON a request, without anything of a patient."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime

from pydantic_core import to_json

LOGGER = logging.getLogger("drgcore.serve")

_FIELDS = ("request", "method", "route", "status", "ms", "bytes", "client", "error", "job", "at")


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, event, and the fields that are known to be harmless.

    Examples
    --------
    >>> record = logging.makeLogRecord({"msg": "request", "levelname": "INFO", "status": 200,
    ...     "patient": "nobody", "created": 0.0})
    >>> JsonLines().format(record)
    '{"time":"1970-01-01T00:00:00.000+00:00","level":"info","event":"request","status":200}'
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        said = record.__dict__
        line |= {name: said[name] for name in _FIELDS if name in said}
        return to_json(line).decode()


def start_log() -> None:
    """Write the log to the error stream, in place of whatever was there."""
    # What no line has is not looked up for each: where it was written, by which thread.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def where_it_failed(error: BaseException) -> dict[str, str]:
    """What may be logged of an error that nobody expected: its kind, and the places in the code.

    Its message is left out: it may hold values of a case.

    Examples
    --------
    >>> try:
    ...     int("a patient's name")
    ... except ValueError as error:
    ...     where_it_failed(error)["error"]
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "at": " ".join(places)}
