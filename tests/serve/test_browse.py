"""Cases of a file or a batch: found, counted, part by part, and opened by their codes alone."""

from __future__ import annotations

import time
from urllib.parse import parse_qs

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

import drgcore
from drgcore.serve import Settings, create_app
from drgcore.serve.browse import PART, Wanted, browse

from .conftest import HTML, client_of

UPLOAD = """病案号,主要诊断编码,其他诊断编码1,其他诊断编码2,主要手术编码,性别,年龄,日龄,姓名
A1,I21.900,I50.900,E11.900,36.0700x004,男,67,,张三
A2,G11.900,S52.804,,,女,69,,<b>x</b>
B3,,,,,女,54,,王五
"""


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """A file of grouped cases, and the cases."""
    folder = tmp_path_factory.mktemp("data") / "region"
    folder.mkdir()
    cases = drgcore.group(drgcore.sample_cases(700, seed=4, dirty=0.05), "chs-drg-3.0")
    pq.write_table(cases, folder / "grouped.parquet", row_group_size=100)
    return folder / "grouped.parquet", cases.to_pandas()


def test_every_part_has_its_rows_and_together_they_are_all(grouped):
    path, cases = grouped
    wanted = cases[cases["drg"].str.startswith("F", na=False) & (cases["status"] == "grouped")]
    asked = Wanted(drg="mdcf", status="grouped")
    first = browse(path, asked)
    assert first["found"] == len(wanted)
    assert first["parts"] == -(-len(wanted) // PART)
    rows = [row for part in range(first["parts"]) for row in browse(path, asked, part + 1)["rows"]]
    assert [row["row"] for row in rows] == (wanted.index + 1).tolist()
    assert [row["case_id"] for row in rows] == wanted["case_id"].tolist()
    assert browse(path, asked, first["parts"] + 1)["rows"] == []
    month = cases[cases["discharge_date"].astype(str).str.startswith("2027-03")]
    assert browse(path, Wanted(month="2027-03"))["found"] == len(month)
    one = cases["hospital"].iloc[0]
    assert browse(path, Wanted(hospital=one))["found"] == (cases["hospital"] == one).sum()


def test_a_case_opens_with_its_codes_and_nothing_else(grouped):
    path, cases = grouped
    rows = browse(path, Wanted(case_id=cases["case_id"].iloc[11]))["rows"]
    row = next(row for row in rows if row["row"] == 12)
    page, _mark, said = row["case"].partition("#")
    given, case = parse_qs(said), cases.iloc[11]
    assert page == "/case"
    assert set(given) <= set("dopqsanw")
    assert given["d"] == [case["principal_diagnosis"]]
    assert given.get("o", [""])[0].split(",") == ([*case["other_diagnoses"]] or [""])
    assert given["a"] == [str(int(case["age_years"]))]


def test_of_a_data_folder_and_of_columns_that_are_not_there(grouped, tmp_path):
    client = client_of(Settings(data=(grouped[0].parent, tmp_path), lang="en"))
    asked = {"cases": "region/grouped.parquet", "drg": "F"}
    found = client.get("/cases", params=asked).json()
    page = client.get("/cases", params=asked, headers=HTML).text
    assert f"{found['found']:,} cases" in page
    assert 'href="/case#d=' in page
    assert client.get("/cases", params=asked | {"cases": "../x"}).status_code == 400
    assert client.get("/cases", params=asked | {"part": 0}).status_code == 422
    (tmp_path / "bare.csv").write_text("case_id,drg\na,FM39\nb,\n")
    name = f"{tmp_path.name}/bare.csv"
    [row] = client.get("/cases", params={"cases": name, "drg": "FM3"}).json()["rows"]
    assert (row["row"], row["case"]) == (1, "")
    assert client.get("/cases", params={"cases": name, "hospital": "H01"}).json()["found"] == 0


@pytest.mark.parametrize("outputs", [["xlsx"], ["csv"], ["xlsx", "parquet"]])
def test_of_a_batch_by_the_mapping_that_was_guessed(tmp_path, outputs):
    with TestClient(create_app(Settings(work=tmp_path, lang="zh")), base_url="http://x") as client:
        client.base_url = "http://localhost"
        files = {"file": ("出院.csv", UPLOAD.encode())}
        job = client.post("/batch", files=files, data={"start": "false"}).json()["id"]
        assert client.get(f"/batches/{job}/cases").status_code == 404
        asked = {"outputs": outputs, "check": False, "scheme": "chs-drg-2.0"}
        client.post(f"/batch/{job}/start", json=asked)
        while client.get(f"/batch/{job}").json()["state"] != "done":
            time.sleep(0.02)
        found = client.get(f"/batches/{job}/cases").json()
        assert [row["case_id"] for row in found["rows"]] == ["A1", "A2", "B3"]
        given = parse_qs(found["rows"][0]["case"].partition("#")[2])
        assert given == {
            "d": ["I21.900"], "o": ["I50.900,E11.900"], "p": ["36.0700x004"], "s": ["1"],
            "a": ["67"], "r": ["chs-drg-2.0"],
        }  # fmt: skip
        invalid = client.get(f"/batches/{job}/cases", params={"status": "invalid", "q": "b"}).json()
        assert [row["row"] for row in invalid["rows"]] == [3]
        page = client.get(f"/batches/{job}/cases", headers=HTML).text
        assert "主要诊断缺失" in page
        assert "张三" not in page
        assert f"/batches/{job}/cases" in client.get(f"/batches/{job}", headers=HTML).text
