"""The path of a case through a scheme, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drgcore.cases.notes import UnknownCode
from drgcore.grouper.plain import AtomTrace, ComplicationTrace, PlainCase, PlainResult
from drgcore.schemes import Scheme
from drgcore.schemes.model import Adrg, Drg, Mdc

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class RuleTrace:
    """One rule that was tried: whether it holds and each of its conditions."""

    group: Mdc | Adrg | Drg
    holds: bool
    atoms: tuple[AtomTrace, ...]


@dataclass(frozen=True)
class MdcTrace:
    """One MDC that was tried and, where its rule holds, its ADRG up to the first that holds."""

    rule: RuleTrace
    adrgs: tuple[RuleTrace, ...]


@dataclass(frozen=True)
class CasePath:
    """The path of one case through a scheme.

    Attributes
    ----------
    scheme : Scheme
    case : PlainCase
        The case as the rules see it.
    unknown_codes : int
        How many codes of the case the dictionaries do not have; they take part in no rule.
    result : PlainResult
        Group, status, reason and severity.
    complications : tuple of ComplicationTrace
        Each listed other diagnosis; with the exclusion table, where that excluded it.
    mdcs : tuple of MdcTrace
        Each MDC tried, in order; with the ADRG tried in it.
    drgs : tuple of RuleTrace
        The DRG tried in the ADRG that was found.
    unknown : tuple of UnknownCode
        Each unknown code, with its column and the codes that are near to it.
    lang : {"zh", "en"}
        The language of `str()`.
    calendar : str or None
        The calendar that has no scheme for the case's day of discharge; then `scheme` is only by
        what its codes were read.
    """

    scheme: Scheme
    case: PlainCase
    unknown_codes: int
    result: PlainResult
    complications: tuple[ComplicationTrace, ...]
    mdcs: tuple[MdcTrace, ...]
    drgs: tuple[RuleTrace, ...]
    unknown: tuple[UnknownCode, ...] = ()

    lang: Language = "en"
    calendar: str | None = None
