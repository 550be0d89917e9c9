"""The words of the pages: texts in the language of a page; terms that data hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drgcore.estimate.what_if import VARIANT_KINDS
from drgcore.language import N_, _, use_language
from drgcore.serve.settings import LANGUAGES, Language

TERMS: Mapping[str, str] = MappingProxyType(
    {
        "points": N_("points earned"),
        "as coded": N_("as coded"),
        **VARIANT_KINDS.messages,
        "grouped": N_("grouped"),
        "ambiguous": N_("ambiguous"),
        "ungrouped": N_("ungrouped"),
        "invalid": N_("invalid"),
        "none": N_("none"),
        "error": N_("error"),
        "warning": N_("warning"),
        "case_class": N_("class of the case"),
        "base_points": N_("base points"),
        "coefficient": N_("hospital's coefficient"),
        "multiple": N_("multiple of the mean cost"),
        "added_points": N_("added points"),
        "outside": N_("outside the points"),
        "special_review": N_("special review"),
        "fixed_price": N_("fixed price"),
        "bed_day": N_("bed-days"),
        "no_base_points": N_("no base points"),
        "unstable": N_("unstable group"),
        "high_cost": N_("high cost"),
        "low_cost": N_("low cost"),
        "normal": N_("normal"),
        "sheet mdc": N_("MDC"),
        "sheet adrg": N_("ADRG"),
        "sheet drg": N_("DRG"),
        "sheet sets": N_("Sets of codes"),
        "sheet cc": N_("Complications (CC)"),
        "sheet exclusions": N_("Exclusion tables"),
        "column code": N_("Code"),
        "column name": N_("Name"),
        "column rule": N_("Rule"),
        "column mdc": N_("MDC"),
        "column adrg": N_("ADRG"),
        "column sort": N_("Order"),
        "column set_id": N_("Set"),
        "column exclusion": N_("Exclusion table"),
        "column type": N_("Type"),
        "column code_name": N_("Name of the code"),
        "state waiting": N_("waits for its mapping"),
        "state queued": N_("queued"),
        "state running": N_("running"),
        "state done": N_("done"),
        "state failed": N_("failed"),
        "file grouped.xlsx": N_("Groups, workbook (.xlsx)"),
        "file grouped.parquet": N_("Groups (.parquet)"),
        "file grouped.csv": N_("Groups (.csv)"),
        "file findings.xlsx": N_("Findings, workbook (.xlsx)"),
        "in query": N_("query"),
        "in path": N_("path"),
        "in body": N_("body"),
        "level critical": N_("critical"),
        "level warning": N_("warning"),
        "level notice": N_("notice"),
        "level unknown": N_("no estimate"),
        "level none": N_("no warning"),
    }
)
"""What data call it → what pages call it, a message of the catalogue."""


def speaker(lang: Language) -> Callable[..., str]:
    """What says a text in a language.

    Parameters
    ----------
    lang : {"zh", "en"}

    Returns
    -------
    callable
        From the English text, or what data call it, and values for the names in braces, to the text
        in the language. A text that the catalogue lacks is an error, so that no page is half
        translated.

    Examples
    --------
    >>> speaker("zh")("Sign in"), speaker("en")("Sign in")
    ('登录', 'Sign in')
    """

    def say(text: str, **values: object) -> str:
        with use_language(lang):
            return _(TERMS.get(text, text), **values)

    return say


def preferred(accept_language: str) -> Language:
    """The language that a browser likes best of those that there are; Chinese without any.

    Parameters
    ----------
    accept_language : str
        The header of that name.

    Examples
    --------
    >>> preferred("en-GB,en;q=0.9,zh;q=0.5"), preferred("de, zh-CN;q=0.8"), preferred("de")
    ('en', 'zh', 'zh')
    """
    wishes = []
    for place, part in enumerate(accept_language.lower().split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.split("-")[0]))
    known = [name for _, _, name in sorted(wishes) if name in LANGUAGES]
    return "en" if known[:1] == ["en"] else "zh"
