"""`POST /group`: cases as JSON, or as an Arrow stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json
from starlette.responses import Response

from drgcore.language import N_, _
from drgcore.schemes import DEFAULT_SCHEME
from drgcore.serve.calls.cases import CasesAsked
from drgcore.serve.calls.grouping import group_cases, group_stream
from drgcore.serve.described import Refusal
from drgcore.serve.threads import threads_of

ARROW = "application/vnd.apache.arrow.stream"

_LARGE = 1 << 20

router = APIRouter(tags=["grouping"])

_Model = TypeVar("_Model", bound=BaseModel)


class StreamAsked(BaseModel):
    """What is said of an Arrow stream, in the query."""

    scheme: str = Field(DEFAULT_SCHEME, max_length=200, description="a name of GET /schemes")
    mapping: str = Field("canonical", max_length=200, description="auto, or a mapping's name")
    columns: list[str] = Field([], max_length=500, description="columns of the cases to keep")
    clinical_codes: bool = Field(False, description="codes are of the clinical version (国临版)")
    names: bool = Field(False, description="add the groups' names")


# The schema of a case stands in the document already, by the calls of one case.
_JSON = CasesAsked.model_json_schema(ref_template="#/components/schemas/{model}")
del _JSON["$defs"]

# The parameters are read by hand: to have them read for every single case costs as much as
# grouping it.
_DESCRIBED: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        for name, schema in StreamAsked.model_json_schema()["properties"].items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _JSON},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    415: {"model": Refusal, "description": N_("The body is neither JSON nor an Arrow stream.")},
}


@router.post("/group", summary="Group cases", openapi_extra=_DESCRIBED, responses=_ANSWERS)
async def group(request: Request) -> Response:
    """Group cases: JSON in and out, or an Arrow stream in and out (then with these parameters)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    state = request.app.state
    settings, metrics, library = state.settings, state.metrics, state.library
    body, lane = await request.body(), threads_of(request).long
    if kind == ARROW:
        given = request.query_params
        named: dict[str, Any] = {n: v for n, v in given.items() if n != "columns"}
        said = _valid(StreamAsked.model_validate, {**named, "columns": given.getlist("columns")})
        stream, rows = await lane.run(
            group_stream, body, library, most_rows=settings.max_rows, **said.model_dump()
        )
        metrics.cases.inc(rows)
        return Response(stream, media_type=ARROW)
    if kind != "application/json":
        raise HTTPException(415, _("send application/json or {type}", type=ARROW))
    if len(body) > _LARGE:
        # Reading it takes so long that others would wait for it.
        asked = await lane.run(_valid, CasesAsked.model_validate_json, body)
    else:
        asked = _valid(CasesAsked.model_validate_json, body)
    if len(asked.cases) > settings.max_rows:
        raise HTTPException(413, _("at most {n:,} cases; use POST /batch", n=settings.max_rows))
    answer = await lane.run(group_cases, asked, library)
    metrics.cases.inc(len(asked.cases))
    return Response(to_json(answer), media_type="application/json")


def _valid(validate: Callable[[Any], _Model], given: Any) -> _Model:
    try:
        return validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
