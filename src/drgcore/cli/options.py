"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

SchemeOption = Annotated[
    str, typer.Option(help="Shipped scheme (`drgcore scheme list`) or path of a compiled one.")
]
AnySchemeOption = Annotated[
    str,
    typer.Option(
        help="Shipped scheme (`drgcore scheme list`), path of a compiled one, by-date (each case "
        "by the national scheme of its discharge date), or a calendar of your own (.toml)."
    ),
]
MappingOption = Annotated[
    str,
    typer.Option(
        help="Where the columns are: canonical, hqms, n041, chinese, settlement-list, a .toml "
        "file, or auto, which guesses and says so."
    ),
]
ClinicalOption = Annotated[
    bool, typer.Option("--clinical", help="Codes are 国临版: translate them to 医保版 first.")
]
HighOption = Annotated[
    float | None, typer.Option(help="Multiple of the mean where high-cost cases begin.")
]
LowOption = Annotated[
    float | None, typer.Option(help="Multiple of the mean where low-cost cases end.")
]
