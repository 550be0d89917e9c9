"""The short way of single cases: the answers of the long way, whoever asks at the same time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drgcore.grouper import group
from drgcore.serve import Settings, create_app
from drgcore.serve.calls.cases import Case, CasesAsked, table_of
from drgcore.serve.calls.direct import DirectGrouper, direct_grouper
from drgcore.serve.calls.grouping import group_cases
from drgcore.serve.calls.library import Library
from drgcore.serve.quick import Together
from drgcore.synthetic import sample_cases

SCHEME = "chs-drg-3.0"
JSON = {"content-type": "application/json"}

SAMPLE = pa.table(sample_cases(60, SCHEME, seed=3)).to_pylist()
DIAGNOSES = sorted({row["principal_diagnosis"] for row in SAMPLE})
PROCEDURES = sorted({row["principal_procedure"] for row in SAMPLE if row["principal_procedure"]})
ODD = ["", "-", "无", "NA", "Q99", "g11.900", "Ｇ11.900", "I10.x00;E11.900", "\ufeffI21.900", "x y"]


def codes(known: list[str]) -> st.SearchStrategy[str]:
    """Codes as they should be, in other letters, and what is none or several."""
    plain = st.sampled_from(known)
    return st.one_of(plain, plain, plain, plain.map(str.swapcase), st.sampled_from(ODD))


ages = st.one_of(
    st.none(),
    st.integers(-1, 152),
    st.floats(0, 152, allow_nan=False),
    st.sampled_from(["69", "69岁", "12天", "-"]),
)
fields: dict[str, st.SearchStrategy[Any]] = {
    "principal_diagnosis": codes(DIAGNOSES),
    "other_diagnoses": st.lists(codes(DIAGNOSES), max_size=4),
    "principal_procedure": codes(PROCEDURES),
    "other_procedures": st.lists(codes(PROCEDURES), max_size=3),
    "sex": st.sampled_from([1, 2, "1", "女", 0, 9, None, "x", 3]),
    "age_years": ages,
    "age_days": st.one_of(st.none(), st.integers(-1, 400), st.floats(0, 400)),
    "newborn_weight_g": st.one_of(st.none(), st.integers(0, 25_000), st.floats(0, 25_000)),
    "birth_date": st.sampled_from(["2027-01-01", "never"]),
    "admission_date": st.sampled_from(["2027-01-20", None]),
    "length_of_stay": st.integers(0, 40),
}
bodies = st.fixed_dictionaries({}, optional=fields)


@given(st.lists(bodies, min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_short_way_reads_and_groups_as_the_long_one(some):
    cases = [Case(**body) for body in some]
    direct = direct_grouper(SCHEME)
    # One after the other: what stands in one case has no say in how another is read.
    alone = [
        group(table_of([case]), SCHEME, columns=[], names=True, threads=1).to_pylist()[0]
        for case in cases
    ]
    reads = [direct.read(case) for case in cases]
    plain = [read for read in reads if read is not None]
    made = iter(direct.group(plain) if plain else [])
    for case, read, wanted in zip(cases, reads, alone, strict=True):
        if read is not None:
            assert next(made) == wanted, case
    mixed = group_cases(CasesAsked(cases=cases), Library())["results"]
    left = [case for case, read in zip(cases, reads, strict=True) if read is None]
    rest = iter(group(table_of(left), SCHEME, columns=[], names=True).to_pylist() if left else [])
    assert mixed == [
        wanted if read is not None else next(rest)
        for read, wanted in zip(reads, alone, strict=True)
    ]


def ask_together(sent: list[bytes], **given: Any) -> list[tuple[int, Any]]:
    """Status and answer of each body, all sent at the same time."""
    app = create_app(Settings(**given))

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await asyncio.gather(
                *(client.post("/group", content=body, headers=JSON) for body in sent)
            )

    return [(answer.status_code, answer.json()) for answer in asyncio.run(ask())]


wrong = st.sampled_from(
    [
        b"",
        b"{",
        b'{"cases": []}',
        b'{"scheme": "none", "cases": [{}]}',
        b'{"cases": [{"sex": {}}]}',
        b'{"cases": [{"other_diagnoses": ["x"], "x": 1}, {"x": ["a"]}]}',
    ]
)


@given(st.lists(st.one_of(st.lists(bodies, min_size=1, max_size=2), wrong), max_size=8))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_a_hundred_clients_at_once_get_what_each_gets_alone(some):
    direct_grouper(SCHEME)
    sent = [one if isinstance(one, bytes) else json.dumps({"cases": one}).encode() for one in some]
    sent += [json.dumps({"cases": [row]}, default=str).encode() for row in SAMPLE]
    sent = (sent * 3)[:100]
    together = ask_together(sent)
    assert together[: len(some)] == [ask_together([body])[0] for body in sent[: len(some)]]
    wanted = group_cases(CasesAsked(cases=[Case(**row) for row in plain_rows()]), Library())
    answered = together[len(some) : len(some) + len(SAMPLE)]
    assert [body["results"][0] for _, body in answered] == wanted["results"]


def plain_rows() -> list[dict[str, Any]]:
    """The sample as JSON carries it."""
    return json.loads(json.dumps(SAMPLE, default=str))


def test_who_asks_in_vain_does_no_harm_to_others(monkeypatch):
    direct = direct_grouper(SCHEME)
    good, bad = (direct.read(Case(**{**plain_rows()[0], "age_years": age})) for age in (50, 149))
    real = DirectGrouper.group

    def fails(self, reads):
        if any(read.age_years == 149 for read in reads):
            raise RuntimeError("nobody expected it")
        return real(self, reads)

    monkeypatch.setattr(DirectGrouper, "group", fails)

    async def ask() -> list[Any]:
        together = Together()
        asked = [together.group(direct, [one]) for one in (good, bad, good)]
        given_up = together.group(direct, [good])
        given_up.cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert first == third == real(direct, [good])
    assert isinstance(second, RuntimeError)


def test_cases_of_several_requests_are_grouped_in_one_call(monkeypatch):
    direct, calls = direct_grouper(SCHEME), []
    real = DirectGrouper.group

    def counted(self, reads):
        calls.append(len(reads))
        return real(self, reads)

    monkeypatch.setattr(DirectGrouper, "group", counted)
    plain = [row for row in plain_rows() if direct.read(Case(**row))]
    answers = ask_together([json.dumps({"cases": [row]}).encode() for row in plain])
    assert {status for status, _ in answers} == {200}
    assert sum(calls) == len(plain)
    assert len(calls) < len(plain)


@pytest.mark.parametrize("kind", ["Application/JSON; charset=utf-8", "application/json"])
def test_a_body_in_pieces_is_one(kind):
    app = create_app(Settings(max_body=2000))
    body = json.dumps({"cases": [plain_rows()[0]]}).encode()

    async def ask(pieces: list[bytes]) -> httpx.Response:
        async def parts():
            for piece in pieces:
                yield piece

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"content-type": kind}
            return await client.post("/group", content=parts(), headers=headers)

    direct_grouper(SCHEME)
    whole = asyncio.run(ask([body]))
    assert whole.status_code == 200
    assert asyncio.run(ask([body[:7], b"", body[7:]])).json() == whole.json()
    late = asyncio.run(ask([body, b" " * 3000]))
    assert (late.status_code, "too large" in late.json()["error"]) == (413, True)


def test_the_short_way_is_counted_logged_and_dressed_like_others(client, caplog):
    direct_grouper(SCHEME)
    with caplog.at_level("INFO", "drgcore.serve"):
        answers = [
            client.get("/health"),
            client.post("/group", json={"cases": [plain_rows()[0]]}),
            client.post("/group", json={"cases": [plain_rows()[0]] * 9}),
        ]
    names = [sorted(answer.headers) for answer in answers]
    assert names[0] == names[1] == names[2]
    assert [record.route for record in caplog.records] == ["/health", "/group", "/group"]
    counts = client.get("/metrics").text
    assert 'drgcore_requests_total{method="POST",route="/group",status="200"} 2.0' in counts
    assert "drgcore_cases_total 10.0" in counts
    assert "drgcore_requests_active 1.0" in counts
