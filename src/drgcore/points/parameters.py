"""What a parameter of a policy is: a typed value with its meaning, its unit and its source."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from drgcore.language import _

Factor = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
Yuan = Annotated[Decimal, Field(ge=0, decimal_places=2, max_digits=16, allow_inf_nan=False)]
Places = Annotated[int, Field(ge=0, le=8)]
Days = Annotated[int, Field(ge=0)]
Groups = tuple[str, ...]
"""Codes of DRG, ADRG or MDC; see `covers`."""


class Model(BaseModel):
    """A part of a policy: immutable, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def parameter(
    description: str, unit: str = "", *, source: str = "", default: Any = ..., **limits: Any
) -> Any:
    """Declare a parameter of a policy with its meaning, unit and source.

    Parameters
    ----------
    description : str
        What it is, as a question's subject: `policy check` asks for it in these words.
    unit : str
        Its unit, for example ``yuan``.
    source : str
        The document and article that it follows, where it is a published one's.
    default : object, optional
        Only for a parameter that may be left out; one without default is asked for.
    **limits
        Further limits of `pydantic.Field`.

    Returns
    -------
    pydantic.fields.FieldInfo
        The field.

    Examples
    --------
    >>> class Budget(Model):
    ...     amount: Yuan = parameter("the year's budget", "yuan")
    >>> Budget(amount="12.50").amount
    Decimal('12.50')
    """
    facts: dict[str, Any] = {"unit": unit, "source": source}
    return Field(default, description=description, json_schema_extra=facts, **limits)


def ask(field: str, reason: str) -> PydanticCustomError:
    """Make the error that asks for a parameter which another one makes necessary.

    Parameters
    ----------
    field : str
        Name of the parameter in the same table.
    reason : str
        Why it is needed.

    Returns
    -------
    PydanticCustomError
        The error, to be raised in a validator.

    Examples
    --------
    >>> str(ask("cap", "rule is added_capped"))
    'not filled in, and rule is added_capped'
    """
    return PydanticCustomError(
        "asked",
        _("not filled in, and {reason}", reason=reason),
        {"field": field, "reason": reason},
    )


def set_to(name: str, value: str) -> str:
    """Say that a parameter has a value, as the reason why another one is asked for.

    Parameters
    ----------
    name : str
        The parameter.
    value : str
        Its value.

    Returns
    -------
    str
        The words for `ask`.

    Examples
    --------
    >>> set_to("stability.rule", "test")
    'stability.rule is test'
    """
    return _("{parameter} is {value}", parameter=name, value=value)


def wrong(place: tuple[str, ...], reason: str) -> PydanticCustomError:
    """Make the error that names the parameter at fault where a check looks at several parts.

    Parameters
    ----------
    place : tuple of str
        Keys that lead to the parameter, from the table that is checked.
    reason : str
        What is wrong.

    Returns
    -------
    PydanticCustomError
        The error, to be raised in a validator.

    Examples
    --------
    >>> str(wrong(("on_top", "paid_from"), "there is no account lottery"))
    'there is no account lottery'
    """
    return PydanticCustomError(_("wrong"), "{reason}", {"place": place, "reason": reason})


def covers(groups: Groups | Literal["all"], drg: str) -> bool:
    """Say whether a list of DRG, ADRG and MDC codes contains a DRG.

    An ADRG is the first three characters of its DRGs' codes and an MDC is ``MDC`` and the first,
    which holds in every CHS-DRG scheme and in local ones cut from it.

    Parameters
    ----------
    groups : tuple of str or "all"
        Codes as ``BR13``, ``BR1`` or ``MDCB``; all covers every one.
    drg : str
        A DRG.

    Returns
    -------
    bool
        True if the DRG, its ADRG or its MDC is listed.

    Examples
    --------
    >>> covers(("BR1", "MDCT"), "BR13"), covers(("BR1", "MDCT"), "TR19"), covers(("BR1",), "BR29")
    (True, True, False)
    """
    if groups == "all":
        return True
    return drg in groups or drg[:3] in groups or f"MDC{drg[:1]}" in groups


def sums_to_one(values: list[Decimal], what: str) -> None:
    """Refuse shares or weights that do not add up to exactly 1.

    Parameters
    ----------
    values : list of Decimal
        The shares.
    what : str
        Their name for the message.

    Examples
    --------
    >>> sums_to_one([Decimal("0.6"), Decimal("0.3")], "weights")
    Traceback (most recent call last):
    ValueError: the weights add up to 0.9, not to 1
    """
    total = sum(values, Decimal(0))
    if total != 1:
        raise ValueError(
            _("the {what} add up to {total:f}, not to 1", what=what, total=total.normalize())
        )
