"""The pages of batches: what is proposed can be read and changed; names and cells are escaped."""

from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient

from drgcore.cases import guess_mapping
from drgcore.serve import Settings, create_app
from drgcore.serve.mapped import fields_of

from .conftest import HTML

ROWS = """病案号,主要诊断编码,其他诊断编码1,主要手术编码,性别,年龄,出院科室,备注
1,I21.900,I10.x00,,男,67,心内科,<b>x</b>
2,G11.900,S52.804,,女,69,普外科,=1+1
3,,,,女,54,普外科,
"""
EVIL = '<img src=x onerror="1">.csv'


@pytest.fixture
def client(tmp_path):
    settings = Settings(work=tmp_path / "work", lang="zh")
    with TestClient(create_app(settings), base_url="http://localhost") as running:
        yield running


def sent(client, text=ROWS, name=EVIL):
    """The page of an upload that waits for its mapping."""
    files = {"file": (name, text.encode())}
    job = client.post("/batch", files=files, data={"start": "false"}).json()
    return f"/batches/{job['id']}"


def test_the_mapping_is_shown_with_samples_and_why(client):
    page = sent(client)
    data = client.get(page).json()
    fields = {row["field"]: row for row in data["fields"]}
    assert fields["principal_diagnosis"]["columns"] == ["主要诊断编码"]
    assert fields["other_diagnoses"]["columns"] == ["其他诊断编码1"]
    assert not fields["other_diagnoses"]["one"]
    assert fields["case_id"]["columns"] == ["病案号"]
    html = client.get(page, headers=HTML).text
    assert "I21.900 · G11.900" in html
    assert "2 个值中 100% 是诊断编码" in html
    assert "<option selected>主要诊断编码</option>" in html
    for raw in ("<b>x</b>", "<img"):
        assert raw not in html
        assert raw not in client.get("/batches", headers=HTML).text


def test_a_mapping_that_was_changed_is_taken(client):
    page = sent(client)
    data = client.get(page).json()
    changed = data["look"]["mapping"].replace('department = "出院科室"', 'department = "备注"')
    asked = {"mapping_text": changed, "outputs": ["csv"]}
    job = page.removeprefix("/batches")
    assert client.post(f"/batch{job}/start", json=asked).status_code == 202
    until = time.monotonic() + 600
    while client.get(page).json()["state"] in ("queued", "running"):
        assert time.monotonic() < until
        time.sleep(0.05)
    done = client.get(page).json()
    assert done["state"] == "done"
    assert done["summary"]["statuses"]["grouped"] == 2
    html = client.get(page, headers=HTML).text
    assert "主要诊断缺失" in html
    assert "未入组原因" in html
    assert f'href="/batch{job}/files/grouped.csv"' in html
    english = client.get(f"{page}?lang=en", headers=HTML).text
    assert "the principal diagnosis is missing" in english


def test_where_no_mapping_can_be_proposed_the_page_says_why(client):
    page = sent(client, "a,b\n1,2\n", "x.csv")
    html = client.get(page, headers=HTML).text
    assert "无法自动提出列的对照" in html
    assert "<details open>" in html
    assert client.get("/batches/" + "0" * 32).status_code == 404


def test_a_preset_is_taken_apart_too():
    cases = {
        "principal_diagnosis": ["I21.900"],
        "other_diagnoses": [["I10.x00"]],
        "principal_procedure": [None],
        "other_procedures": [[]],
        "sex": [1],
        "age_years": [60],
        "age_days": [None],
        "newborn_weight_g": [None],
    }
    import pyarrow as pa

    table = pa.table(cases)
    rows = fields_of(guess_mapping(table).text, [*table.column_names, "department"])
    found = {row["field"]: row for row in rows}
    assert found["sex"]["columns"] == ["sex"]
    assert found["sex"]["evidence"].startswith("100% of 1")
    assert found["department"]["columns"] == ["department"]
    assert found["hospital"]["columns"] == []
