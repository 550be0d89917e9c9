"""The page in a real browser: nothing is refused, nothing is loaded, tables sort and filter."""

from __future__ import annotations

import pandas as pd
import pytest

from drgcore.report import Report, Section, write_report
from drgcore.report.bars import counted
from drgcore.report.pdf import find_browser

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_the_page_in_a_browser(tmp_path):
    names = [f"<b>{i}" for i in range(12)]
    table = pd.DataFrame({"hospital": names, "surplus": [(-1.0) ** i * i for i in range(12)]})
    section = Section(
        "only", "标题", table, "看这里。", lambda: counted(names, list(range(12))), "图"
    )
    page_file = write_report(Report("month", "报告", "", "zh", (), (section,)), tmp_path, ["html"])
    said, asked = [], []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file["html"].as_uri())
        column = "td:nth-child(2)"
        page.get_by_role("button", name="盈亏").focus()
        page.keyboard.press("Enter")
        down = page.locator(f"tbody {column}").all_inner_texts()
        page.keyboard.press("Enter")
        up = page.locator(f"tbody {column}").all_inner_texts()
        page.get_by_label("筛选").fill("<B>11")
        left = [t for t in page.locator("tbody tr").all() if t.is_visible()]
        shown = [row.inner_text() for row in left]
        width = page.evaluate("document.documentElement.scrollWidth")
        drawn = page.locator("figure svg").bounding_box()
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert (down[0], down[-1]) == ("10.00", "−11.00")
    assert up == down[::-1]
    assert len(shown) == 1
    assert "<b>11" in shown[0]
    assert width <= 1280
    assert drawn["width"] > 600
