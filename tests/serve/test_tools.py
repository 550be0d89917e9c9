"""The tools by the protocol: a client of the same SDK, by standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

import drgcore
from drgcore.serve.tools import make_tools

ONE = {"principal_diagnosis": "G11.900", "other_diagnoses": ["S52.804"], "sex": 2, "age_years": 69}


def asked(name: str, /, **arguments: Any) -> Any:
    """What a tool answers."""

    async def call() -> Any:
        async with Client(make_tools()) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(call())


def test_tools_give_what_the_library_gives():
    told = json.loads(asked("group", cases=[ONE]).content[0].text)
    assert told["results"][0]["drg"] == drgcore.explain(ONE).result.drg.code
    assert asked("explain", case=ONE, lang="en").content[0].text == str(drgcore.explain(ONE))
    variants = json.loads(asked("what_if", case=ONE).content[0].text)["variants"]
    assert [row["drg"] for row in variants] == ["BU23", "IS19", "BU25"]
    assert "I21.900" in asked("search_codes", text="jxxjgs", limit=1).content[0].text
    assert "chs-drg-3.0" in str(asked("list_schemes").content)
    assert "AA39" in asked("show_scheme", sheet="drg", text="心脏移植").content[0].text
    assert '"summary"' in asked("compare_schemes", sheet="mdc").content[0].text
    assert "example" in str(asked("list_policies").content)
    assert json.loads(asked("check_policy", name="example").content[0].text)["ok"]
    wrong = {"principal_diagnosis": "N40.x00", "sex": 2, "age_years": 65}
    assert "S02" in asked("check", cases=[wrong]).content[0].text
    paid = {"hospital": "H01", "hospital_level": "3", "pool": "employee", "total_cost": 9000}
    paid |= {"discharge_date": "2027-01-31", "length_of_stay": 8, "patient_paid": 2000}
    told = json.loads(asked("estimate", case=ONE | paid, policy="example").content[0].text)
    assert told["points"] > 0


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("explain", {"case": ONE, "scheme": "/etc/passwd"}, "there is no scheme"),
        ("estimate", {"case": ONE, "policy": "example"}, "the case has no hospital"),
        ("check_policy", {}, "one of both"),
    ],
)
def test_what_is_refused_says_what_to_do(name, arguments, text):
    answer = asked(name, **arguments)
    assert answer.is_error
    assert text in answer.content[0].text


def test_every_tool_only_reads():
    tools = asyncio.run(make_tools().list_tools())
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_the_command_speaks_the_protocol(tmp_path):
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "drgcore", "mcp"],
        env={**os.environ, "PYTHONPATH": str(Path(drgcore.__file__).parents[1])},
    )

    async def speak() -> tuple[int, str]:
        with (tmp_path / "log").open("w") as log:
            async with Client(stdio_client(server, errlog=log)) as client:
                tools = await client.list_tools()
                answer = await client.call_tool("group", {"cases": [{**ONE, "name": "张三"}]})
                return len(tools.tools), answer.content[0].text

    count, text = asyncio.run(speak())
    assert count == 11
    assert "BU23" in text
    assert "张三" not in (tmp_path / "log").read_text()
