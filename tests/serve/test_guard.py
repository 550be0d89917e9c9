"""What every request passes: host, origin, token, limits, headers, the log and the counts."""

from __future__ import annotations

import json
import logging
import re

import pytest

from drgcore.cases import STATUSES
from drgcore.errors import DrgcoreError
from drgcore.estimate.variants import KINDS
from drgcore.language import use_language
from drgcore.points.compute import POINT_COLUMNS
from drgcore.points.records import CLASSES
from drgcore.schemes.model import TABLE_SCHEMAS
from drgcore.serve import Settings
from drgcore.serve.logs import JsonLines
from drgcore.serve.sessions import COOKIE, Door
from drgcore.serve.settings import read_token
from drgcore.serve.views import TEMPLATES
from drgcore.serve.wording import TERMS

from .conftest import HTML, TOKEN, client_of


@pytest.mark.parametrize("path", ["/", "/health", "/nowhere", "/static/frame.js", "/docs"])
def test_every_answer_has_the_headers(client, path):
    headers = client.get(path, headers=HTML).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_another_name_is_refused(client):
    # A strange page whose name was made to lead to this machine.
    assert client.get("/health", headers={"host": "evil.example:8765"}).status_code == 421
    assert client.get("/health", headers={"host": "["}).status_code == 421
    assert client.get("/health", headers={"host": "127.0.0.1:8765"}).status_code == 200
    named = client_of(Settings(names=("drg.hospital.example",)))
    assert named.get("/health", headers={"host": "drg.hospital.example"}).status_code == 200


def test_another_sites_form_is_refused(guarded):
    strange = {"origin": "https://evil.example"}
    assert guarded.post("/login", data={"token": TOKEN}, headers=strange).status_code == 403
    own = {"origin": "http://localhost"}
    done = guarded.post("/login", data={"token": TOKEN}, headers=own, follow_redirects=False)
    assert done.status_code == 303


def test_without_the_token_nobody_enters(guarded):
    assert guarded.get("/health").status_code == 200
    assert guarded.get("/openapi.json").status_code == 401
    assert guarded.get("/metrics").status_code == 401
    for wrong in ("Bearer nothing", "Basic " + TOKEN, "Bearer"):
        assert guarded.get("/metrics", headers={"authorization": wrong}).status_code == 401
    right = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/metrics", headers=right).status_code == 200
    page = guarded.get("/docs", headers=HTML, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/docs")


def test_the_page_takes_the_token_and_gives_a_cookie(guarded):
    wrong = guarded.post("/login", data={"token": "no"})
    assert wrong.status_code == 403
    assert COOKIE not in guarded.cookies
    right = guarded.post("/login", data={"token": TOKEN, "next": "/docs"}, follow_redirects=False)
    assert right.headers["location"] == "/docs"
    told = right.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    assert TOKEN not in told
    assert guarded.get("/docs", headers=HTML).status_code == 200
    guarded.post("/logout", follow_redirects=False)
    assert guarded.get("/docs").status_code == 401


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_door_leads_nowhere_else(guarded, elsewhere):
    done = guarded.post("/login", data={"token": TOKEN, "next": elsewhere}, follow_redirects=False)
    assert done.headers["location"] == "/"


def test_guesses_are_slowed_down(guarded):
    answers = [guarded.post("/login", data={"token": f"guess {n}"}).status_code for n in range(7)]
    assert answers == [403] * 5 + [429] * 2
    # As long as it is blocked, even the right one is of no use.
    assert guarded.post("/login", data={"token": TOKEN}).status_code == 429
    assert guarded.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 429


def test_a_block_and_a_cookie_end():
    now = [1000.0]
    door = Door(TOKEN, lambda: now[0])
    cookie = door.cookie()
    for _ in range(5):
        door.failed("10.0.0.1")
    assert door.blocked("10.0.0.1")
    assert not door.blocked("10.0.0.2")
    assert door.admits(None, cookie)
    now[0] += 61
    assert not door.blocked("10.0.0.1")
    now[0] += 13 * 3600
    assert not door.admits(None, cookie)
    assert not Door("another token altogether", lambda: 1000.0).admits(None, cookie)


def test_a_server_for_other_machines_needs_a_token():
    with pytest.raises(DrgcoreError, match="no token"):
        Settings(host="192.0.2.7")
    assert not Settings(host="192.0.2.7", token=TOKEN).loopback


def test_a_token_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o644)
    with pytest.raises(DrgcoreError, match="others than its owner"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path) == TOKEN


def test_the_log_and_the_counts_name_no_case(client, caplog):
    with caplog.at_level(logging.INFO, "drgcore.serve"):
        logging.getLogger("drgcore.serve").propagate = True
        client.get("/docs?next=I21.900&name=张三")
        client.get("/I21.900")
    text = "\n".join(JsonLines().format(record) for record in caplog.records)
    routes = [json.loads(line)["route"] for line in text.splitlines() if "route" in line]
    assert routes == ["/docs", "other"]
    counts = client.get("/metrics").text
    for secret in ("I21", "张三"):
        assert secret not in text + counts
    assert 'drgcore_requests_total{method="GET",route="/docs",status="200"} 1.0' in counts


def test_the_language_is_asked_for_chosen_or_the_browsers(client):
    def language(path: str, **headers: str) -> str:
        page = client.get(path, headers={**HTML, **headers}).text
        return re.search(r'<html lang="([^"]+)"', page)[1]

    english = {"accept-language": "en-GB,en;q=0.9"}
    assert language("/", **{"accept-language": "zh-CN"}) == "zh-Hans"
    with use_language("en"):
        assert language("/") == "en"
    assert language("/", **english) == "en"
    assert language("/?lang=zh", **english) == "zh-Hans"
    # The choice is kept.
    assert language("/", **english) == "zh-Hans"
    client.cookies.clear()
    page = client_of(Settings(lang="en")).get("/", headers=HTML).text
    assert '<html lang="en"' in page


def test_every_word_of_data_that_templates_say_is_known():
    for name in TEMPLATES.list_templates():
        source = TEMPLATES.loader.get_source(TEMPLATES, name)[0]
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son\w+=", source), name
    for table, columns in TABLE_SCHEMAS.items():
        assert {f"sheet {table}", *(f"column {name}" for name in columns.names)} <= TERMS.keys()
    assert {
        *STATUSES,
        *CLASSES,
        *KINDS[1:],
        *POINT_COLUMNS[:1],
        *POINT_COLUMNS[2:6],
    } <= TERMS.keys()
