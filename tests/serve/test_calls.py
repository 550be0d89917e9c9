"""The calls give what the library gives, from JSON and from Arrow, and refuse what is no case."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pytest

import drgcore
from drgcore.cases import CANONICAL_SCHEMA
from drgcore.cases.dictionary import tables_folder
from drgcore.serve import Settings
from drgcore.serve.calls.cases import Case, table_of
from drgcore.serve.calls.direct import direct_grouper
from drgcore.serve.pages.grouping import ARROW
from drgcore.synthetic import sample_cases

from .conftest import HTML, client_of

SCHEMES = ("chs-drg-2.0", "chs-drg-3.0")
ONE = {
    "principal_diagnosis": "G11.900",
    "other_diagnoses": ["S52.804"],
    "sex": 2,
    "age_years": 69,
}
PAID = {
    "hospital": "H01",
    "hospital_level": "3",
    "pool": "employee",
    "discharge_date": "2027-01-31",
    "total_cost": 9000,
    "length_of_stay": 8,
    "patient_paid": 2000,
}


@pytest.fixture(scope="module")
def cases() -> pa.Table:
    """A sample with faults."""
    return pa.table(sample_cases(400, "chs-drg-3.0", seed=5, dirty=0.2)).select(
        ["case_id", *CANONICAL_SCHEMA.names]
    )


def bodies(cases: pa.Table) -> list[dict[str, object]]:
    """The cases as a program would send them: codes that are missing are left out."""
    rows = cases.drop_columns(["case_id"]).to_pylist()
    return [
        {
            name: [code for code in value if code] if isinstance(value, list) else value
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    ]


def expected(cases: pa.Table, scheme: str) -> list[dict[str, object]]:
    """The library's results of the same cases."""
    plain = [{name: row.get(name) for name in CANONICAL_SCHEMA.names} for row in bodies(cases)]
    for row in plain:
        for name in ("other_diagnoses", "other_procedures"):
            row[name] = row[name] or []
    types = {name: cases.schema.field(name).type for name in CANONICAL_SCHEMA.names}
    table = pa.Table.from_pylist(plain, pa.schema(types))
    return drgcore.group(table, scheme, columns=[], names=True).to_pylist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_case_at_a_time_is_the_library(client, cases, scheme):
    wanted = expected(cases, scheme)
    direct = direct_grouper(scheme)
    reads = [direct.read(Case(**body)) for body in bodies(cases)]
    # Both ways occur: most cases take the short one, and those that are not plain do not.
    assert 0 < reads.count(None) < len(reads) // 2
    made = direct.group([read for read in reads if read])
    assert made == [w for read, w in zip(reads, wanted, strict=True) if read]
    for some in (bodies(cases)[:12], bodies(cases)):
        answer = client.post("/group", json={"scheme": scheme, "cases": some})
        assert answer.status_code == 200
        assert answer.json()["results"] == wanted[: len(some)]


def stream_of(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=150)
    return sink.getvalue().to_pybytes()


def test_an_arrow_stream_is_grouped_as_the_library_does(client, cases):
    answer = client.post(
        "/group?columns=case_id", content=stream_of(cases), headers={"content-type": ARROW}
    )
    assert answer.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(answer.content).read_all()
    wanted = drgcore.group(cases, "chs-drg-3.0", columns=["case_id"])
    assert table.to_pylist() == wanted.to_pylist()
    assert "drgcore_cases_total 400.0" in client.get("/metrics").text


@pytest.mark.parametrize("body", [b"", b"not arrow", b"\xff\xff\xff\xff\x10\x00\x00\x00" * 9])
def test_what_is_no_arrow_stream_is_refused(client, body):
    answer = client.post("/group", content=body, headers={"content-type": ARROW})
    assert answer.status_code == 400
    assert "Arrow" in answer.json()["error"]


def test_a_damaged_arrow_stream_is_refused(client, cases):
    whole = bytearray(stream_of(cases))
    for place in range(400, len(whole), len(whole) // 40):
        damaged = whole.copy()
        damaged[place : place + 8] = b"\xff" * 8
        answer = client.post("/group", content=bytes(damaged), headers={"content-type": ARROW})
        assert answer.status_code in (200, 400)


def test_the_limits_of_a_request():
    small = client_of(Settings(max_rows=3, max_body=2000))
    many = {"cases": [ONE] * 4}
    assert small.post("/group", json=many).status_code == 413
    assert small.post("/group", json={"cases": [ONE]}).status_code == 200
    long = small.post("/group", content=b" " * 3000, headers={"content-type": "application/json"})
    assert long.status_code == 413

    def unmeasured():
        yield from [b" " * 1000] * 3

    headers = {"content-type": "application/json"}
    assert small.post("/group", content=unmeasured(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"cases": []}',
        '{"cases": [{"age_years": NaN}]}',
        '{"cases": [{"other_diagnoses": "I10"}]}',
        '{"cases": [{}], "unknown": 1}',
        '{"cases": [{"x": {"y": 1}}]}',
        '{"cases": [{"age_years": 1e400}]}',
    ],
)
def test_a_wrong_body_is_said_to_be_so_and_not_repeated(client, body):
    answer = client.post("/group", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "where", "hint"}
    assert client.post("/group", content=body).status_code == 415


def test_odd_cases_are_data(client):
    odd = [
        {},
        {"sex": "女", "age_years": "69岁", "principal_diagnosis": " g11.900 "},
        {"sex": True, "age_years": 69.9, "principal_diagnosis": "G11.900"},
        {
            "sex": 2,
            "age_years": 2**40,
            "principal_diagnosis": "\ud800".encode(errors="replace").decode(),
        },
        {**ONE, "name": "<script>", "cost": 1.5, "list": ["a"], "flag": True},
    ]
    for case in odd:
        assert client.post("/group", json={"cases": [case]}).status_code == 200
    together = client.post("/group", json={"cases": odd})
    assert [r["drg"] for r in together.json()["results"]] == [None, "BU25", "BU25", None, "BU23"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../chs-drg-3.0", "nothing", "x.toml", ""])
def test_a_name_is_no_path(client, name):
    for path, body in (
        ("/group", {"cases": [ONE]}),
        ("/explain", {"case": ONE}),
        ("/what-if", {"case": ONE}),
        ("/check", {"cases": [ONE]}),
    ):
        answer = client.post(path, json={"scheme": name, **body})
        assert answer.status_code == 400
        assert "there is no scheme" in answer.json()["error"]
    paid = {"case": {**ONE, **PAID}, "policy": name}
    assert client.post("/estimate", json=paid).status_code == 400


def test_the_path_of_a_case(client):
    told = client.post("/explain", json={"case": ONE, "lang": "en"}).json()
    why = drgcore.explain(ONE)
    assert told["result"]["drg"] == why.result.drg.code
    assert told["text"] == str(why)
    html = client.post("/explain", json={"case": ONE}, headers=HTML).text
    assert "BU23" in html
    assert "<html" not in html
    dated = {"scheme": "by-date", "case": {**ONE, "discharge_date": "2026-05-01"}}
    assert client.post("/explain", json=dated).json()["scheme"] == "chs-drg-2.0"


def test_what_another_coding_would_mean(client):
    asked = {"case": ONE, "schemes": ["chs-drg-2.0"], "add_diagnoses": ["I50.900"]}
    rows = client.post("/what-if", json=asked).json()["variants"]
    wanted = drgcore.what_if(
        table_of([Case(**ONE)]), schemes=["chs-drg-2.0"], add_diagnoses=["I50.900"]
    ).table
    assert [row["drg"] for row in rows] == [drg or None for drg in wanted["drg"].fillna("")]
    assert "采用" in client.post("/what-if?lang=zh", json=asked, headers=HTML).text


def test_the_payment_of_a_case(client):
    asked = {"case": {**ONE, **PAID}, "policy": "example", "value": 64}
    told = client.post("/estimate", json=asked).json()
    assert told["payment"] == pytest.approx(told["points"] * 64, abs=0.006)
    assert told["lines"][-1].endswith(f" = {told['points']}")
    short = {**asked, "case": {**ONE, **PAID, "pool": None}}
    assert "pool" in client.post("/estimate", json=short).json()["error"]
    assert client.post("/estimate", json={**asked, "policy": "blank"}).status_code == 400


def test_findings_of_cases(client):
    wrong = {"principal_diagnosis": "N40.x00", "sex": 2, "age_years": 65}
    told = client.post("/check", json={"cases": [ONE, wrong], "lang": "en"}).json()
    assert {(f["row"], f["check"]) for f in told["findings"]} >= {(2, "S02")}
    assert told["cases"] == 2


def test_codes_and_their_marks(client):
    found = client.get("/codes", params={"q": "jxxjgs", "limit": 3}).json()
    assert (found[0]["code"], found[0]["complication"]) == ("I21.900", "MCC")
    known = client.get("/codes", params={"code": ["I50.900", "?"], "principal": "I50.900"}).json()
    assert [one["excluded"] for one in known] == [True, False]
    assert known[1]["name"] == ""
    assert client.get("/codes", params={"q": "x", "limit": 0}).status_code == 422


def test_schemes_and_policies(client, tmp_path):
    names = [scheme["name"] for scheme in client.get("/schemes").json()]
    assert names == [info.name for info in drgcore.list_schemes()]
    sheet = client.get("/schemes/chs-drg-3.0", params={"sheet": "drg", "q": "心脏移植"}).json()
    assert sheet["rows"][0][0] == "AA39"
    assert client.get("/schemes/chs-drg-3.0.json?part=2").json()["part"] == 2
    assert client.get("/schemes/chs-drg-3.0?part=99").status_code == 400
    assert client.get("/schemes/nothing", headers=HTML).status_code == 400
    compared = client.get("/schemes/compare?sheet=mdc").json()
    diff = drgcore.diff_schemes(
        drgcore.load_scheme("chs-drg-2.0"), drgcore.load_scheme("chs-drg-3.0")
    )
    assert compared["summary"] == json.loads(json.dumps(diff.summary()))
    assert "example" in {policy["name"] for policy in client.get("/policies").json()}


def test_a_policy_text_reads_no_file_of_the_server(client, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("password\n")
    for named in (str(secret), "../../../../../../etc/passwd"):
        asked = {"text": f'[base_points]\ntable = "{named}"\n'}
        answer = client.post("/policies/check", json=asked)
        assert answer.status_code == 400
        assert "which was not sent with it" in answer.json()["error"]
        assert "password" not in answer.text
    checked = client.post("/policies/check", json={"name": "shanwei"}).json()
    assert not checked["ok"]
    assert client.post("/policies/check", json={"text": "= no toml"}).status_code == 400


def test_a_scheme_and_a_policy_in_the_servers_folder(tmp_path):
    shutil.copytree(tables_folder() / "suzhou-2023", tmp_path / "data" / "city")
    (tmp_path / "data" / "ours.toml").write_text('title = "Ours"\n')
    own = client_of(Settings(data=(tmp_path / "data",)))
    assert "city" in {scheme["name"] for scheme in own.get("/schemes").json()}
    assert own.post("/group", json={"scheme": "city", "cases": [ONE]}).status_code == 200
    assert own.get("/policies").json()[0] == {
        "name": "ours",
        "ships": False,
        "title": "Ours",
        "region": None,
        "year": None,
    }


def test_errors_are_in_the_language_of_the_request(client, cases):
    lacking = stream_of(cases.drop_columns(["sex"]))
    for lang, text in (("zh-CN", "数据中缺少"), ("en", "missing")):
        headers = {"content-type": ARROW, "accept-language": lang}
        answer = client.post("/group", content=lacking, headers=headers)
        assert answer.status_code == 400
        assert text in answer.json()["error"]
