"""From the text of a rule to its syntax tree: a lexer and a recursive-descent parser.

The grammar (official workbook, sheets MDC, ADRG and DRG)::

    rule   := or ;  or := and ("or" and)* ;  and := not ("and" not)* ;  not := "not" not | atom
    atom   := "(" or ")" | member | count | compare | number
    member := fields ["not"] "in" (SET | "{" SET ("," SET)* "}")
    fields := FIELD | "{" FIELD ("," FIELD)* "}"
    count  := "length(" SET "∩" fields ")" OP number
    compare:= VAR OP number

Local schemes have more names (`rules.LOCAL_NAMES`): several VAR, and the FIELD CYKB, which stands
alone in a member and in no count. And they have one more atom, where ``count`` is no reserved word
but means this before a bracket only::

    met    := "count(" (SET | "{" SET ("," SET)* "}") "∩" fields ")" OP number
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from drgcore.errors import RuleSyntaxError
from drgcore.language import N_, _
from drgcore.schemes.rules import (
    COMPLICATIONS,
    FIELDS,
    LOCAL_FIELDS,
    LOCAL_VARIABLES,
    OPERATORS,
    TRUE,
    VARIABLES,
    And,
    Compare,
    Count,
    Literal,
    Member,
    Not,
    Or,
    Rule,
    SetsMet,
)

# Excel writes a line break in a cell as this literal text.
_EXCEL_BREAK = "_x000D_"
# Blank out what editors and Excel put between words; every replacement keeps the offsets of the
# original text, so that an error's caret stands under the right character.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), " ")
_FULL_WIDTH = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<op>>=|<=|≥|≤|=|>|<)|(?P<punct>[(){},∩])"
    r"|(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<word>\w[\w.]*)"
)
_OPERATOR_ALIASES = {"≥": ">=", "≤": "<="}
_KEYWORDS = frozenset({"and", "or", "not", "in", "length"})
# Official rules nest five deep; what walks a tree may rely on its being shallow.
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "op", "punct", "number", "word", "keyword" or "end"
    text: str
    position: int


def parse_rule(text: str, *, where: str | None = None) -> Rule:
    """Parse one rule of the official rule language.

    Parameters
    ----------
    text : str
        The rule as it stands in the workbook. Keywords in any case; line breaks, full-width
        characters, zero-width characters and the literal ``_x000D_`` count as their plain form.
    where : str, optional
        Sheet, row and group, for the error message.

    Returns
    -------
    Rule
        The immutable syntax tree; `Literal(True)` for an empty rule.

    Raises
    ------
    RuleSyntaxError
        With the rule's text and a caret under the place that does not fit the grammar.

    Examples
    --------
    >>> parse_rule("(ZYZD in DI_M00) and (XB = 1)")
    And(parts=(Member(fields=('ZYZD',), sets=('DI_M00',), negated=False),
               Compare(variable='XB', operator='=', number=1)))
    >>> print(parse_rule("{ZYSS,QTSS} not in OP_ALL_x000D_ OR QTZD in {MCC,CC}"))
    {ZYSS, QTSS} not in OP_ALL or QTZD in {MCC, CC}
    >>> parse_rule("ZYZD inn DI_A")
    Traceback (most recent call last):
    drgcore.errors.RuleSyntaxError: expected 'in' or 'not in' after ZYZD
      ZYZD inn DI_A
           ^
    """
    tokens = _tokenise(text, where)
    if tokens[0].kind == "end":
        return TRUE
    return _Parser(text, tokens, where).parse()


def _tokenise(text: str, where: str | None) -> list[_Token]:
    plain = text.replace(_EXCEL_BREAK, " " * len(_EXCEL_BREAK))
    plain = plain.translate(_INVISIBLE).translate(_FULL_WIDTH)
    tokens: list[_Token] = []
    position = 0
    while position < len(plain):
        match = _TOKEN.match(plain, position)
        if match is None:
            raise RuleSyntaxError(
                _("{plain!r} has no meaning in a rule", plain=plain[position]),
                text,
                position,
                where=where,
            )
        kind, word = str(match.lastgroup), match.group()
        if kind == "word" and word.lower() in _KEYWORDS:
            kind, word = "keyword", word.lower()
        if kind != "space":
            tokens.append(_Token(kind, word, position))
        position = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


class _Parser:
    """One pass over the tokens; every method reads one production of the grammar."""

    def __init__(self, text: str, tokens: list[_Token], where: str | None) -> None:
        self._text = text
        self._tokens = tokens
        self._where = where
        self._next = 0
        self._depth = 0

    def parse(self) -> Rule:
        rule = self._or()
        if self._peek.kind != "end":
            self._fail(
                _(
                    "{text!r} after the end of the rule; expected 'and' or 'or'",
                    text=self._peek.text,
                )
            )
        return rule

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek.kind == kind and self._peek.text == text:
            self._next += 1
            return True
        return False

    def _expect(self, kind: str, text: str, after: str, **values: str) -> None:
        if not self._accept(kind, text):
            self._fail(_("expected {text!r} {after}", text=text, after=_(after, **values)))

    def _fail(self, message: str, token: _Token | None = None) -> NoReturn:
        position = (token or self._peek).position
        raise RuleSyntaxError(message, self._text, position, where=self._where)

    @contextmanager
    def _deeper(self, token: _Token) -> Iterator[None]:
        if self._depth == _MAX_DEPTH:
            self._fail(_("brackets and 'not' are nested too deep"), token)
        self._depth += 1
        yield
        self._depth -= 1

    def _or(self) -> Rule:
        parts = [self._and()]
        while self._accept("keyword", "or"):
            parts.append(self._and())
        return _join(Or, parts)

    def _and(self) -> Rule:
        parts = [self._not()]
        while self._accept("keyword", "and"):
            parts.append(self._not())
        return _join(And, parts)

    def _not(self) -> Rule:
        token = self._peek
        if not self._accept("keyword", "not"):
            return self._atom()
        with self._deeper(token):
            return Not(self._not())

    def _atom(self) -> Rule:
        token = self._peek
        if self._accept("punct", "("):
            with self._deeper(token):
                rule = self._or()
            self._expect("punct", ")", N_("to close the bracket"))
            return rule
        if token.kind == "number":
            return self._literal()
        if self._accept("keyword", "length"):
            return self._count()
        if token.kind == "word" and token.text.lower() == "count" and self._opens_next():
            return self._sets_met()
        if token.kind == "word" and token.text.upper() in (*VARIABLES, *LOCAL_VARIABLES):
            variable = self._take().text.upper()
            return Compare(variable, *self._comparison(variable))
        if token.kind == "word" or (token.kind == "punct" and token.text == "{"):
            return self._member()
        return self._fail(
            _("the rule ends where a condition is expected")
            if token.kind == "end"
            else _("{text!r} where a condition is expected", text=token.text)
        )

    def _literal(self) -> Rule:
        token = self._take()
        if token.text not in ("0", "1"):
            self._fail(_("a number alone must be 1 (true) or 0 (false)"), token)
        return Literal(token.text == "1")

    def _count(self) -> Rule:
        self._expect("punct", "(", N_("after length"))
        set_id = self._counted_set("length()")
        fields = self._counted_fields("set", "length()")
        return Count(set_id, fields, *self._comparison("length(…)"))

    def _opens_next(self) -> bool:
        following = self._tokens[self._next + 1]
        return following.kind == "punct" and following.text == "("

    def _sets_met(self) -> Rule:
        self._next += 2
        start = self._peek
        sets = self._list(lambda: self._counted_set("count()"))
        if len(set(sets)) < len(sets):
            self._fail(_("count() names a set twice; each counts once"), start)
        fields = self._counted_fields("sets", "count()")
        return SetsMet(sets, fields, *self._comparison("count(…)"))

    def _counted_set(self, function: str) -> str:
        set_id = self._set_id()
        if set_id in COMPLICATIONS:
            self._fail(
                _("{function} takes a set, not MCC or CC", function=function),
                self._tokens[self._next - 1],
            )
        return set_id

    def _counted_fields(self, what: str, function: str) -> tuple[str, ...]:
        self._expect(
            "punct", "∩", N_("after the {what} in {function}"), what=what, function=function
        )
        start = self._peek
        fields = self._fields()
        if not LOCAL_FIELDS.keys().isdisjoint(fields):
            self._fail(
                _("{function} counts diagnoses and procedures, not departments", function=function),
                start,
            )
        self._expect("punct", ")", N_("to close {function}"), function=function)
        return fields

    def _comparison(self, subject: str) -> tuple[str, float]:
        token = self._take()
        operator = _OPERATOR_ALIASES.get(token.text, token.text)
        if token.kind != "op" or operator not in OPERATORS:
            self._fail(
                _(
                    "expected one of {operators} after {subject}",
                    operators=" ".join(OPERATORS),
                    subject=subject,
                ),
                token,
            )
        token = self._take()
        if token.kind != "number":
            self._fail(_("expected a number after {operator}", operator=operator), token)
        return operator, float(token.text) if "." in token.text else int(token.text)

    def _member(self) -> Rule:
        start = self._peek
        fields = self._fields()
        negated = self._accept("keyword", "not")
        if not self._accept("keyword", "in"):
            self._fail(_("expected 'in' or 'not in' after {fields}", fields=fields[-1]))
        if len(fields) > 1 and not LOCAL_FIELDS.keys().isdisjoint(fields):
            self._fail(
                _("CYKB is a department: it cannot stand in a list with other fields"), start
            )
        sets = self._list(self._set_id)
        if not set(sets).isdisjoint(COMPLICATIONS) and fields != ("QTZD",):
            self._fail(_("MCC and CC are complications: only QTZD can be in them"), start)
        return Member(fields, sets, negated)

    def _fields(self) -> tuple[str, ...]:
        return self._list(self._field)

    def _field(self) -> str:
        token = self._take()
        if token.kind != "word" or token.text.upper() not in (*FIELDS, *LOCAL_FIELDS):
            self._fail(_("expected one of {fields}", fields=", ".join(FIELDS)), token)
        return token.text.upper()

    def _set_id(self) -> str:
        token = self._take()
        if token.kind != "word":
            self._fail(_("expected the name of a set"), token)
        return token.text.upper() if token.text.upper() in COMPLICATIONS else token.text

    def _list(self, item: Callable[[], str]) -> tuple[str, ...]:
        if not self._accept("punct", "{"):
            return (item(),)
        names = [item()]
        while self._accept("punct", ","):
            names.append(item())
        self._expect("punct", "}", N_("to close the list"))
        return tuple(names)


def _join(kind: type[And] | type[Or], parts: list[Rule]) -> Rule:
    """One part as itself; several flattened into one node of the kind."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Rule] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))
