"""Codes of the dictionary that an unknown text may have meant: to be shown, never to be taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from drgcore.cases.dictionary import CodeKind, code_table, translation_table

Kind = Literal["diagnosis", "procedure"]

MAX_NEAREST = 3

_TABLE: dict[Kind, CodeKind] = {"diagnosis": "diagnoses", "procedure": "procedures"}

# Dagger and asterisk of a pair of codes, and the signs that stand for a point.
_SIGNS = str.maketrans(
    {"†": "+", "＋": "+", "*": "*", "＊": "*", "。": ".", "．": ".", "·": ".", "、": ",", "，": ","}
)
_QUOTES = re.compile(r"""^=?["'`‘’“”]+|["'`‘’“”]+$""")
_POINT = re.compile(r"[,.]+")
_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,4})?")
_SEVERAL = re.compile(r"[;；,，、|｜/\s]+")
_ALIKE = str.maketrans({"o": "0", "q": "0", "i": "1", "l": "1", "s": "5", "b": "8"})
_LETTERS = str.maketrans({"0": "o", "1": "i", "5": "s", "8": "b"})


def nearest_codes(unknown: Sequence[str], kind: Kind) -> list[tuple[str, ...]]:
    """Codes of the dictionary to which texts that are no code of it are near.

    Tried one after the other, up to the first that finds something: the text without quotes,
    blanks and wrong signs for the point; a point that is missing; zeros that a spreadsheet ate
    (``51.23``) or that a short code lacks (``K80.1``); the clinical version (国临版); a letter for
    a digit that looks like it; the first code of several, or of code and name; both parts of a
    pair of dagger and asterisk; one character that is wrong, missing or too many; the code of
    which it is an extension.

    Parameters
    ----------
    unknown : sequence of str
        Texts, as the data hold them.
    kind : {"diagnosis", "procedure"}
        Whether ICD-10 or ICD-9-CM-3 (医保版) is meant.

    Returns
    -------
    list of tuple of str
        For each text up to three codes, the likeliest first; none where nothing is near. A text
        that is a code, after folding of case and width, gives that code.

    Examples
    --------
    >>> nearest_codes(["51.23", "512300", "lap. chole"], "procedure")
    [('51.2300',), ('51.2300',), ()]
    >>> nearest_codes(["K8O.101", "K80，101", "K80.101 胆囊结石"], "diagnosis")
    [('K80.101',), ('K80.101',), ('K80.101',)]
    """
    index = _index(kind)
    return [index.nearest(text) for text in unknown]


def restored_zeros(unknown: Sequence[str]) -> list[str | None]:
    """The procedure of which a spreadsheet ate the zeros, where one reading exists.

    A spreadsheet that takes ``03.3100`` for a number keeps ``3.31``: zeros are lost in front of
    the point and behind the last digit. Anything else than such a number is left alone.

    Parameters
    ----------
    unknown : sequence of str
        Texts, as the data hold them.

    Returns
    -------
    list of str or None
        Codes of ICD-9-CM-3 (医保版); None where there is none, or more than one.

    Examples
    --------
    >>> restored_zeros(["51.23", "3.31", "51.23x001", "K80.1"])
    ['51.2300', '03.3100', None, None]
    """
    index = _index("procedure")
    found = [list(index.known(_with_zeros(_plain(text)))) for text in unknown]
    return [codes[0] if len(codes) == 1 else None for codes in found]


class _Index:
    """The codes of one dictionary by their folded form."""

    def __init__(self, kind: Kind) -> None:
        table = _TABLE[kind]
        self.kind = kind
        self.codes = {_plain(code): code for code in code_table(table)["code"].to_pylist()}
        pairs = translation_table(table)
        self.clinical = {
            _plain(old): new
            for old, new in zip(
                pairs["clinical_code"].to_pylist(), pairs["insurance_code"].to_pylist(), strict=True
            )
        }
        letters = "".join(chr(c) for c in range(ord("a"), ord("z") + 1))
        self.alphabet = "0123456789.x" + (letters if kind == "diagnosis" else "")

    def known(self, forms: Iterator[str]) -> Iterator[str]:
        """The codes among some folded forms."""
        return (self.codes[form] for form in dict.fromkeys(forms) if form in self.codes)

    def nearest(self, text: str) -> tuple[str, ...]:
        plain = _plain(text)
        if plain in self.codes:
            return (self.codes[plain],)
        if not plain or len(plain) > 200:
            return ()
        for attempt in (
            self._written_otherwise,
            self._of_another_version,
            self._looking_alike,
            self._first_of_several,
            self._one_character_off,
            self._extended,
        ):
            if found := tuple(dict.fromkeys(attempt(plain)))[:MAX_NEAREST]:
                return found
        return ()

    def _written_otherwise(self, text: str) -> Iterator[str]:
        """Quotes, blanks, another sign for the point, no point, zeros left out."""
        for form in _respelt(text):
            yield from self.known(iter((form,)))
            yield from self.known(_with_point(form))
            yield from self.known(_with_zeros(form))
            if self.kind == "diagnosis":
                yield from self.known(_short_diagnosis(form))

    def _of_another_version(self, text: str) -> Iterator[str]:
        for form in _respelt(text):
            if form in self.clinical:
                yield self.clinical[form]

    def _looking_alike(self, text: str) -> Iterator[str]:
        """O for 0, l for 1 and the like; the first character of a diagnosis is a letter."""
        for form in _respelt(text):
            if self.kind == "diagnosis":
                digits = form[:1].translate(_LETTERS) + form[1:].translate(_ALIKE)
            else:
                digits = form.translate(_ALIKE)
            yield from self._written_otherwise(digits)

    def _first_of_several(self, text: str) -> Iterator[str]:
        """Several codes in one text, a code and its name, a pair of dagger and asterisk."""
        parts = [part for part in _SEVERAL.split(text) if part]
        if len(parts) > 1:
            for part in parts:
                yield from self._written_otherwise(part)
        beginning = re.match(r"[a-z]?[0-9][0-9a-z.+*]*", _QUOTES.sub("", text))
        if beginning and beginning[0] != text:
            yield from self._written_otherwise(beginning[0])
        joined = "".join(parts)
        if "+" in joined:
            for part in joined.split("+"):
                if part:
                    yield from self.known(iter((part, part.rstrip("*"))))

    def _one_character_off(self, text: str) -> Iterator[str]:
        form = next(_respelt(text))
        if not 5 <= len(form) <= 18:
            return
        for place in range(len(form) + 1):
            head, tail = form[:place], form[place:]
            if len(tail) > 1:
                yield from self.known(iter((head + tail[1] + tail[0] + tail[2:],)))
        # More than a few that differ in one character tell nothing.
        found: list[str] = []
        for place in range(len(form) + 1):
            head, tail = form[:place], form[place:]
            forms = (head + tail[1:], *(head + c + tail[1:] for c in self.alphabet))
            longer = tuple(head + c + tail for c in self.alphabet)
            found.extend(self.known(iter((*forms, *longer))))
        if len(set(found)) <= MAX_NEAREST:
            yield from found

    def _extended(self, text: str) -> Iterator[str]:
        """The code that is left without the extension: K80.101x999 is of K80.101."""
        form = next(_respelt(text))
        base, cut, _ = form.partition("x") if not re.match(r".{4}x", form) else (form[:7], "x", "")
        if cut:
            yield from self.known(iter((base,)))
        if self.kind == "diagnosis" and re.match(r"[a-z]\d\d\.\d", form):
            yield from self.known(iter((f"{form[:5]}00",)))
        if self.kind == "procedure" and re.match(r"\d\d\.\d\d", form):
            yield from self.known(iter((f"{form[:5]}00", f"{form[:4]}x00")))


@cache
def _index(kind: Kind) -> _Index:
    return _Index(kind)


def _plain(text: str) -> str:
    """Folded as codes are when they are read: width, case, blanks at both ends."""
    return unicodedata.normalize("NFKC", text).strip().strip("\ufeff\u200b").lower()


def _respelt(text: str) -> Iterator[str]:
    """The text without quotes and blanks, with one point."""
    bare = "".join(_QUOTES.sub("", text).translate(_SIGNS).split())
    yield bare
    pointed = _POINT.sub(".", bare).strip(".")
    if pointed != bare:
        yield pointed
    # X for x is folded; a multiplication sign or a hyphen is another sign.
    other = pointed.replace("×", "x").replace("-", ".")
    if other != pointed:
        yield other


def _with_point(text: str) -> Iterator[str]:
    """A code whose point is missing."""
    if "." not in text:
        place = 3 if text[:1].isalpha() else 2
        if len(text) > place:
            pointed = f"{text[:place]}.{text[place:]}"
            yield pointed
            yield from _with_zeros(pointed)
            yield from _short_diagnosis(pointed)


def _with_zeros(text: str) -> Iterator[str]:
    """A procedure that a spreadsheet took for a number: 51.23 for 51.2300, 3.31 for 03.3100."""
    if _NUMBER.fullmatch(text):
        whole, _, decimals = text.partition(".")
        yield f"{whole:0>2}.{decimals:0<4}"


def _short_diagnosis(text: str) -> Iterator[str]:
    """A diagnosis of three or four characters, as the WHO has them: I10 for I10.x00."""
    if re.fullmatch(r"[a-z]\d\d\.?", text):
        yield f"{text[:3]}.x00"
        yield f"{text[:3]}.900"
    elif re.fullmatch(r"[a-z]\d\d\.\d", text):
        yield f"{text}00"
    elif re.fullmatch(r"[a-z]\d\d\.\d\d", text):
        yield f"{text}0"
