"""x"""

from __future__ import annotations

from dataclasses import dataclass

from drgcore.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    severity: str
    where: str
    message: str


def refuse_unsound(scheme: Scheme) -> tuple[Finding, ...]:
    return ()
