"""The pages in a browser: no error, no request elsewhere, by keyboard, at every size."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from drgcore.serve import Settings, create_app

from .conftest import TOKEN

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")

CASE = "d=I21.900&o=I50.900,E11.900,N18.900&p=36.0700x004&q=88.5500&s=1&a=67"
PAGES = (
    "/",
    f"/case#{CASE}",
    "/schemes",
    "/schemes/chs-drg-3.0?sheet=drg&q=心脏",
    "/schemes/compare?sheet=mdc",
    "/policies",
    "/docs",
    "/login",
    "/batches",
    "/dashboard",
    "/settlement",
    "/settlement/trial",
    "/in-house",
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# Width, height, and pixels of the screen for one of the page: 200 % is half of the width.
SIZES = ((1280, 800, 1), (1920, 1080, 1), (640, 400, 2))


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of a running server."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(settings), log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on this machine."""
    with served(Settings()) as at:
        yield at


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as play:
        # As root, in a container, Chromium has no sandbox; all that it shows is ours.
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that is looked at, and what the browser complained of."""

    def __init__(self, browser: Browser, address: str, lang: str = "zh-CN", size=SIZES[0]) -> None:
        width, height, scale = size
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale, locale=lang
        )
        self.address, self.wrong = address, []
        self.context.route("**/*", self._route)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _route(self, route) -> None:
        if route.request.url.startswith(self.address + "/"):
            route.continue_()
        else:
            self.wrong.append(f"asks elsewhere: {route.request.url}")
            route.abort()

    def _said(self, message) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def open(self, path: str) -> Page:
        """Go to a page and wait until it asks for nothing more."""
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def findings(page: Page) -> list[str]:
    """What axe-core holds to be serious."""
    # By the debugger's way, since the page's policy lets no foreign script in.
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:200]}"
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("lang", "size"),
    [("zh-CN", SIZES[0]), ("zh-CN", SIZES[1]), ("zh-CN", SIZES[2]), ("en-GB", SIZES[2])],
    ids=["zh", "zh-wide", "zh-200%", "en-200%"],
)
def test_pages_are_without_fault(browser, address, lang, size):
    with Visit(browser, address, lang, size) as visit:
        for path in PAGES:
            page = visit.open(path)
            assert visit.wrong == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.locator("h1").count() == 1
            chinese = "工作台" in page.locator("header").inner_text()
            assert chinese == (lang == "zh-CN")
            if lang == "zh-CN":
                controls = page.locator("label[for], main button, summary").all_inner_texts()
                english = [t for t in controls if not re.search("[一-龥]", t)]
                assert [t for t in english if re.search("[A-Za-z]{4}", t)] == [], path
            if lang == "zh-CN" and size != SIZES[1]:
                assert findings(page) == [], path


def press(page: Page, *keys: str) -> None:
    """Press keys, and type what is no key's name."""
    for key in keys:
        if key in ("Tab", "Enter", "Space"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def test_a_case_by_keyboard_alone(browser, address):
    with Visit(browser, address) as visit:
        page = visit.open("/case")
        press(page, "Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        press(page, "Enter", "Tab", "jxxjgs")
        page.wait_for_selector("#principal_diagnosis-list li")
        assert page.locator("#principal_diagnosis").get_attribute("aria-expanded") == "true"
        press(page, "Enter")
        page.wait_for_selector("[data-field=principal_diagnosis] .chips li")
        # Over the chip's button to the other diagnoses; several at once.
        page.locator("#other_diagnoses").focus()
        press(page, "I50.900 E11.900", "Enter")
        page.wait_for_selector("[data-field=other_diagnoses] .badge.mcc")
        assert page.locator("[data-field=other_diagnoses] .chips li").count() == 2
        page.locator("#sex").focus()
        while page.evaluate("document.activeElement.tagName") != "BUTTON":
            press(page, "Tab")
        shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown == "solid"
        press(page, "Enter")
        page.wait_for_selector("#explain-right .group")
        page.wait_for_selector("#what-if table")
        assert "FR19" in page.locator("#explain-right .group").inner_text()
        assert "d=I21.900" in page.url
        # The path opens level by level: Space opens the summary that has the focus.
        closed = page.locator("#explain-right .steps details:not([open]) > summary").first
        closed.focus()
        press(page, "Space")
        assert (
            page.locator("#explain-right .steps :focus").locator("..").get_attribute("open") == ""
        )
        assert visit.wrong == []


def test_what_if_in_one_click_and_the_payment(browser, address):
    with Visit(browser, address) as visit:
        page = visit.open(f"/case#{CASE}")
        # At this width nothing of the table is out of sight.
        table = page.locator("#what-if .scroll")
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
        page.locator("[data-take=principal_diagnosis][data-code='I50.900']").click()
        page.wait_for_url("**/case#d=I50.900*")
        page.wait_for_load_state("networkidle")
        first = page.locator("[data-field=principal_diagnosis] .chips")
        assert "I50.900" in first.inner_text()
        assert "I21.900" in page.locator("[data-field=other_diagnoses] .chips").inner_text()
        page.locator("#pay > summary").click()
        page.fill("#total_cost", "52000")
        page.locator("#payment button").click()
        page.wait_for_selector("#estimate .group")
        assert findings(page) == []
        assert "52000" not in page.url
        assert visit.wrong == []


def test_a_policy_is_checked_and_a_text_of_another_is_safe(browser, address):
    with Visit(browser, address) as visit:
        page = visit.open("/policies")
        page.select_option("#name", "shanwei")
        page.locator("#policy button").click()
        page.wait_for_selector("#answer h2")
        assert findings(page) == []
        page.fill("#text", "title = \"<img src=x onerror='alert(1)'>\"")
        page.locator("#policy button").click()
        expect(page.locator("#answer h2")).to_contain_text("<img")
        assert page.locator("#answer img").count() == 0
        assert visit.wrong == []


def test_the_door(browser):
    with served(Settings(token=TOKEN)) as address, Visit(browser, address) as visit:
        page = visit.open("/case")
        assert "/login" in page.url
        assert findings(page) == []
        press(page, TOKEN, "Enter")
        page.wait_for_url(f"{address}/case")
        page.locator("form[action='/logout'] button").click()
        page.wait_for_url(f"{address}/login")
        assert visit.wrong == []
