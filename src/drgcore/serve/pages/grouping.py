"""`POST /group`: cases as JSON, or as an Arrow stream."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from drgcore.schemes import DEFAULT_SCHEME
from drgcore.serve.calls.cases import CasesAsked
from drgcore.serve.calls.grouping import group_at_once, group_cases, group_stream
from drgcore.serve.views import LibraryGiven

ARROW = "application/vnd.apache.arrow.stream"

router = APIRouter(tags=["grouping"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": CasesAsked.model_json_schema()},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    415: {"description": "The body is neither JSON nor an Arrow stream."},
}


@router.post("/group", openapi_extra=_BODY, responses=_ANSWERS)
async def group(
    request: Request,
    library: LibraryGiven,
    scheme: Annotated[str, Query(max_length=200)] = DEFAULT_SCHEME,
    mapping: Annotated[str, Query(max_length=200)] = "canonical",
    columns: Annotated[list[str] | None, Query(max_length=500)] = None,
    clinical_codes: bool = False,
    names: bool = False,
) -> Response:
    """Group cases: JSON in and out, or an Arrow stream in and out (then with these parameters)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    settings, metrics = request.app.state.settings, request.app.state.metrics
    body = await request.body()
    if kind == ARROW:
        stream, rows = await run_in_threadpool(
            group_stream,
            body,
            library,
            scheme=scheme,
            mapping=mapping,
            columns=columns or [],
            clinical_codes=clinical_codes,
            names=names,
            most_rows=settings.max_rows,
        )
        metrics.cases.inc(rows)
        return Response(stream, media_type=ARROW)
    if kind != "application/json":
        raise HTTPException(415, f"send application/json or {ARROW}")
    try:
        asked = CasesAsked.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    if len(asked.cases) > settings.max_rows:
        raise HTTPException(413, f"at most {settings.max_rows:,} cases; use POST /batch")
    answer = group_at_once(asked, library)
    if answer is None:
        answer = await run_in_threadpool(group_cases, asked, library)
    metrics.cases.inc(len(asked.cases))
    return Response(to_json(answer), media_type="application/json")
