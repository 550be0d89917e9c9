"""The language in which drgcore speaks to people: Chinese or English.

What machines read (columns, codes, keys, statuses) is the same in both.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar, get_args

from drgcore.errors import DrgcoreError

__all__ = ["Language", "get_language", "set_language", "use_language"]

Language = Literal["zh", "en"]
"""``zh`` for Chinese, ``en`` for English."""

LOCALE = Path(__file__).with_name("locale")
"""Where the catalogues of translations are."""

_Text = TypeVar("_Text", bound=str)

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")

_set: Language | None = None
_here: ContextVar[Language | None] = ContextVar("language", default=None)


def set_language(language: Language | None) -> None:
    """Set the language of every message of this process.

    Parameters
    ----------
    language : {"zh", "en"} or None
        Chinese, English, or again what the environment says.

    Raises
    ------
    DrgcoreError
        For another language.

    See Also
    --------
    use_language : The language of one request, of one block.

    Examples
    --------
    >>> import drgcore
    >>> drgcore.set_language("zh")
    >>> drgcore.get_language()
    'zh'
    >>> drgcore.set_language(None)
    """
    global _set
    _set = _known(language)


@contextmanager
def use_language(language: Language | None) -> Iterator[None]:
    """Speak a language within a block, whatever other threads and tasks speak.

    It goes before what `set_language` says. A thread begun within the block does not inherit it,
    unless it runs in a copy of the context, as a web server's threads do.

    Parameters
    ----------
    language : {"zh", "en"} or None
        Chinese, English, or what `set_language` and the environment say.

    Raises
    ------
    DrgcoreError
        For another language.

    Examples
    --------
    >>> with use_language("zh"):
    ...     get_language()
    'zh'
    """
    token = _here.set(_known(language))
    try:
        yield
    finally:
        _here.reset(token)


def get_language() -> Language:
    """The language that is spoken here and now.

    Returns
    -------
    {"zh", "en"}
        That of the block, else that of the process, else that of the environment: ``DRGCORE_LANG``,
        then the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that says anything, then the
        system's. English where none is Chinese.

    Examples
    --------
    >>> get_language() in ("zh", "en")
    True
    """
    return _here.get() or _set or _of_environment()


def _(message: str, /, **values: object) -> str:
    """A message in the language that is spoken, with its values.

    Parameters
    ----------
    message : str
        The English message, as a literal, so that the catalogue can be made from the code.
    **values : object
        What stands in its braces. Without values, braces are nothing but braces.

    Returns
    -------
    str
        The message; in English where the catalogue lacks it.
    """
    text = _catalogue(get_language()).gettext(message)
    return text.format(**values) if values else text


def heading(name: str) -> str:
    """What people read above a column, of a sheet or of a table that machines know by its name.

    Parameters
    ----------
    name : str
        The name, such as ``total_cost``.

    Returns
    -------
    str
        The heading; where the catalogue has none, the name with blanks.

    Examples
    --------
    >>> with use_language("en"):
    ...     heading("total_cost")
    'total cost'
    >>> with use_language("zh"):
    ...     heading("total_cost")
    '总费用'
    """
    plain = name.replace("_", " ")
    return in_context("heading", plain)


def word(name: str) -> str:
    """What people read in a cell or a sentence for a word that machines know.

    Parameters
    ----------
    name : str
        The word, such as ``high_cost`` for a class of cases.

    Returns
    -------
    str
        In Chinese what it is called, or the word itself where it is none of those of
        ``locale/words.txt``, such as a hospital's; in English the word.

    Examples
    --------
    >>> with use_language("zh"):
    ...     word("high_cost"), word("H_01")
    ('高倍率', 'H_01')
    """
    return in_context("word", name)


def in_context(context: str, message: str) -> str:
    """A message that means something else in another context, in the language that is spoken."""
    return _catalogue(get_language()).pgettext(context, message)


def N_(message: _Text, /) -> _Text:
    """Mark a literal as a message that `_` is given later; it stays as it is."""
    return message


class Texts(Mapping[str, str]):
    """What names that machines know mean, in the language that is spoken when one asks.

    Parameters
    ----------
    messages : mapping of str to str
        Name → English message, marked by `N_`.

    Examples
    --------
    >>> texts = Texts({"disk_full": N_("No space left on device")})
    >>> with use_language("zh"):
    ...     texts["disk_full"]
    '磁盘空间不足'
    >>> with use_language("en"):
    ...     texts["disk_full"], "disk_empty" in texts
    ('No space left on device', False)
    """

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._messages = dict(messages)

    @property
    def messages(self) -> Mapping[str, str]:
        """Name → English message, for a table that holds more."""
        return self._messages

    def __getitem__(self, name: str) -> str:
        return _(self._messages[name])

    def __contains__(self, name: object) -> bool:
        return name in self._messages

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"


def reason_of(error: OSError) -> str:
    """What the system says it cannot do, in the language that is spoken.

    Parameters
    ----------
    error : OSError
        The system's error.

    Returns
    -------
    str
        Its words; in English where they are not among the usual ones.

    Examples
    --------
    >>> with use_language("zh"):
    ...     reason_of(PermissionError(13, "Permission denied"))
    '没有权限'
    """
    words = error.strerror or type(error).__name__
    return _(words)


_USUAL = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("Too many open files"),
    N_("Address already in use"),
)
"""What systems mostly say, for the catalogue."""


def _known(language: Language | None) -> Language | None:
    if language is not None and language not in get_args(Language):
        raise DrgcoreError(
            _("there is no language {language!r}", language=language),
            hint=_("Take zh for Chinese or en for English."),
        )
    return language


def _of_environment() -> Language:
    own = os.environ.get("DRGCORE_LANG", "").lower()
    for language in get_args(Language):
        if own == language:
            return language
    said = next((value for name in _VARIABLES if (value := os.environ.get(name))), None)
    return "zh" if (said or _of_system()).lower().startswith(("zh", "chinese")) else "en"


@cache
def _of_system() -> str:
    """The system's own name of its language; Windows sets none of the variables."""
    import locale

    try:
        return locale.getlocale()[0] or ""
    except ValueError:
        return ""


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("drgcore", LOCALE, [language])
