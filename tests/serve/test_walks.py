"""Walks through the pages of many cases in a real browser: by keyboard, without a word of error."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn

import drgcore
from drgcore.points import Policy
from drgcore.serve import Settings, create_app
from drgcore.serve.ward import InHouse
from drgcore.trial import settle_trial

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases, grouped cases and a ledger of a year that paid them."""
    folder = tmp_path_factory.mktemp("walk") / "region"
    folder.mkdir()
    cases = drgcore.sample_cases(1200, "chs-drg-3.0", seed=6)
    pq.write_table(cases, folder / "cases.parquet")
    grouped = drgcore.group(cases, "chs-drg-3.0")
    pq.write_table(grouped, folder / "grouped.parquet")
    policy = Policy.load("example")
    scores = pd.DataFrame({"hospital": sorted(set(grouped["hospital"].to_pylist()))})
    scores = scores.assign(**{"record quality": 96, "readmission": 92, "patient burden": 90})
    trial = settle_trial(grouped, policy, 2027, scores)
    with drgcore.Ledger.open(folder / "book.sqlite") as book:
        for month in trial.months:
            book.close_month(drgcore.close_month(month, trial.cases, policy, "chs-drg-3.0"))
        book.close_year(drgcore.close_year(trial.year, trial.cases, policy, "chs-drg-3.0"))
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A server of this folder, with its cases as the patients in house and as the past."""
    ward = InHouse(str(folder / "cases.parquet"), folder / "cases.parquet", high=2.0)
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    app = create_app(Settings(data=(folder,), lang="zh", in_house=ward))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{place.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page that fails the test when it complains, or asks another machine for anything."""
    page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith(address) else wrong.append(f"asks {r.url}")
    )
    page.set_default_timeout(30_000)
    yield page
    page.close()
    assert wrong == []


def press(page: Any, selector: str, key: str = "Enter") -> None:
    """Go to something by the tabulator key alone, and press a key there."""
    for _ in range(150):
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"the tabulator key does not reach {selector}")
    page.keyboard.press(key)


def faults(page: Any) -> list[str]:
    """What keeps people from the page: axe's serious findings, and scrolling sideways."""
    from axe_playwright_python.sync_playwright import Axe

    found = [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    # As wide as a window of 1280 that is zoomed to 200 %.
    page.set_viewport_size({"width": 640, "height": 400})
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is scrolled sideways")
    return found


def test_settlement_from_the_ledger_to_a_fen(page: Any, tmp_path: Path) -> None:
    page.goto("/settlement")
    press(page, 'a[href*="period=2027-03"]')
    page.wait_for_url("**/settlement/period?**")
    returned = tmp_path / "returned.csv"
    returned.write_text("hospital,pool,amount\nH01,resident,1.00\n")
    page.set_input_files("#upload", str(returned))
    press(page, "form[data-into] button")
    page.wait_for_selector("#compared table")
    assert "返回表缺" in page.inner_text("#compared")
    press(page, '#statements a[href*="hospital=H01"]')
    page.wait_for_selector(".statement .formula")
    assert "预付，θ = 0.95" in page.inner_text(".statement")
    assert faults(page) == []


def test_a_trial_of_the_ledgers_policy(page: Any) -> None:
    page.goto("/settlement/trial")
    page.select_option("#cases", "region/grouped.parquet")
    page.select_option("#policy", "ledger:region/book.sqlite:2027")
    page.fill("#year", "2027")
    press(page, "form.card button")
    page.wait_for_selector("#statements")
    assert faults(page) == []


def test_the_dashboard_filtered_by_keyboard(page: Any) -> None:
    page.goto("/dashboard?cases=region/grouped.parquet&ledger=region/book.sqlite")
    page.wait_for_selector(".facts-row")
    assert page.locator("svg.figure").count() == 8
    before = page.inner_text(".facts-row dd >> nth=0")
    press(page, ".panels a")
    page.wait_for_url("**department=**")
    assert page.inner_text(".facts-row dd >> nth=0") != before
    assert faults(page) == []


def test_the_first_page_shows_what_is_new_and_takes_a_file(page: Any, folder: Path) -> None:
    page.goto("/in-house")
    page.wait_for_selector("#fresh table")
    page.goto("/")
    text = page.inner_text("main")
    assert "region/book.sqlite" in text
    assert "2027" in page.inner_text('a[href*="/settlement/period"]')
    assert page.locator('a[href="/in-house?level=critical"]').count() == 1
    assert page.locator('a[href$="grouped.parquet"]').count() == 1
    assert page.locator('a[href$="Fcases.parquet"]').count() == 0
    page.set_input_files("#file", str(folder / "cases.parquet"))
    press(page, "#send button")
    page.wait_for_selector("#start")
    page.goto("/")
    assert "cases.parquet" in page.inner_text('a[href^="/batches/"]')
    assert faults(page) == []
    press(page, 'a[href^="/batches/"]')
    page.wait_for_selector("#start")
    press(page, "[data-remove]")
    page.wait_for_url("**/batches")


def test_a_case_of_a_batch_opens_on_its_page(page: Any, paths: list[str]) -> None:
    page.goto(paths[2])
    press(page, 'a[href$="/cases"]')
    page.wait_for_selector("table")
    assert faults(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    press(page, "td a")
    page.wait_for_selector("#explain-right .group")
    assert "/case#d=" in page.url


def test_a_batch_from_the_file_to_the_results(page: Any, folder: Path, tmp_path: Path) -> None:
    page.goto("/batches")
    page.set_input_files("#file", str(folder / "cases.parquet"))
    press(page, "#send button")
    page.wait_for_selector("#start")
    page.select_option('[data-field="department"]', "hospital")
    assert 'department = "hospital"' in page.input_value("#mapping")
    page.uncheck("#check")
    page.uncheck("[value=xlsx]")
    press(page, "#start button")
    link = page.wait_for_selector('a[href$="grouped.parquet"]')
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "grouped.parquet")
    assert pq.read_metadata(tmp_path / "grouped.parquet").num_rows == 1200
    press(page, "[data-remove]")
    page.wait_for_url("**/batches")
    assert "cases.parquet" not in page.inner_text("main")


def test_patients_in_house_by_level(page: Any) -> None:
    page.goto("/in-house")
    page.wait_for_selector("#fresh table")
    press(page, "a.level-critical")
    page.wait_for_url("**level=critical**")
    assert {text.strip() for text in page.locator("td .badge").all_inner_texts()} == {"严重"}
    assert faults(page) == []


@pytest.fixture(scope="module")
def paths(address: str, folder: Path) -> list[str]:
    """The pages that show something of the folder; two batches are sent for it."""
    ledger, cases = "ledger=region/book.sqlite", "cases=region/grouped.parquet"
    board, year = f"/dashboard?{cases}&{ledger}", f"{ledger}&period=2027"
    sink = pa.BufferOutputStream()
    pq.write_table(pq.read_table(folder / "cases.parquet").slice(0, 40), sink)
    file = {"file": ("出院病例.parquet", sink.getvalue().to_pybytes())}
    with httpx.Client(base_url=address, timeout=120) as client:

        def wait(path: str, *states: str) -> None:
            while client.get(path).json()["state"] not in states:
                time.sleep(0.05)

        jobs = [
            client.post("/batch", files=file, data={"start": start, "keep": "true"}).json()["id"]
            for start in ("false", "true")
        ]
        wait(f"/batch/{jobs[1]}", "done")
        wait("/in-house", "there")
        wait(board, "there")
        hospital = client.get(f"/settlement/period?{year}").json()["hospitals"][0]
    return [
        "/batches",
        *(f"/batches/{job}" for job in jobs),
        board,
        f"/batches/{jobs[1]}/cases?drg=F",
        f"/cases?{cases}",
        f"/settlement?{ledger}",
        f"/settlement/period?{year}-03",
        f"/settlement/statement?{year}&hospital={hospital}",
        f"/settlement/trial?{cases}&policy=ledger:region/book.sqlite:2027&year=2027",
        "/in-house?level=critical",
    ]


@pytest.mark.parametrize(("lang", "width"), [("zh", 1920), ("zh", 640), ("en", 1280)])
def test_pages_with_data_fit_and_are_without_fault(
    page: Any, paths: list[str], lang: str, width: int
) -> None:
    for path in paths:
        page.set_viewport_size({"width": width, "height": width * 5 // 8})
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.locator("h1").count() == 1, path
        assert ("工作台" in page.locator("header").inner_text()) == (lang == "zh"), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if lang == "en":
            assert faults(page) == [], path


REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary"


def unreached(page: Any) -> list[str]:
    """What can be clicked and the tabulator key does not reach, or reaches without a mark."""
    page.evaluate(
        """selector => {
          const seen = (e) => e.checkVisibility({visibilityProperty: true});
          window.left = new Set([...document.querySelectorAll(selector)].filter(
            (e) => seen(e) && !e.disabled && e.tabIndex >= 0));
          window.unmarked = [];
          addEventListener("focusin", ({target}) => {
            left.delete(target);
            const style = getComputedStyle(target);
            if (style.outlineStyle === "none" && style.boxShadow === "none")
              unmarked.push(target.outerHTML.slice(0, 80));
          });
        }""",
        REACHABLE,
    )
    for _ in range(60):
        for _ in range(20):
            page.keyboard.press("Tab")
        if not page.evaluate("left.size"):
            break
    return page.evaluate("[...[...left].map((e) => e.outerHTML.slice(0, 80)), ...unmarked]")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Any, paths: list[str]) -> None:
    fixed = ("/", "/case", "/schemes", "/schemes/compare?sheet=mdc", "/policies", "/docs", "/login")
    for path in (*fixed, "/schemes/chs-drg-3.0?q=心脏", *paths):
        page.goto(path)
        assert unreached(page) == [], path
