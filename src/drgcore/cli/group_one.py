"""`drgcore group-one`: one case given on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

import drgcore
from drgcore.cli.options import AnySchemeOption, ClinicalOption
from drgcore.language import Language, get_language

app = typer.Typer(add_completion=False)


@app.command("group-one")
def group_one(
    pdx: Annotated[str, typer.Option(help="Principal diagnosis (主要诊断).")],
    sex: Annotated[str, typer.Option(help="1 or 男, 2 or 女.")],
    age: Annotated[str | None, typer.Option(help="Age in years.")] = None,
    dx: Annotated[
        list[str] | None, typer.Option(help="Other diagnosis; several by repeating it, or a list.")
    ] = None,
    proc: Annotated[
        list[str] | None, typer.Option(help="Procedure, the principal one first; as --dx.")
    ] = None,
    age_days: Annotated[str | None, typer.Option(help="Age in days, under one year.")] = None,
    weight: Annotated[str | None, typer.Option(help="Newborn's weight on admission, g.")] = None,
    discharge: Annotated[str | None, typer.Option(help="Day of discharge.")] = None,
    scheme: AnySchemeOption = "chs-drg-3.0",
    clinical: ClinicalOption = False,
    lang: Annotated[
        Language | None, typer.Option(help="Language of the path; else that of the command.")
    ] = None,
) -> None:
    """Group one case and show its group, the reason and the path to it."""
    procedures = proc or []
    case = {
        "principal_diagnosis": pdx,
        "other_diagnoses": dx or [],
        "principal_procedure": procedures[0] if procedures else None,
        "other_procedures": procedures[1:],
        "sex": sex,
        "age_years": age,
        "age_days": age_days,
        "newborn_weight_g": weight,
    }
    if discharge is not None:
        case["discharge_date"] = discharge
    why = drgcore.explain(case, scheme, clinical_codes=clinical, lang=lang or get_language())
    typer.echo(why)
