"""What the calls and the tools say of themselves is there in both languages, the names in one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from drgcore.language import Language, heading, use_language
from drgcore.serve import Settings
from drgcore.serve.described import ANSWERS, texts_of
from drgcore.serve.tools import make_tools

from .conftest import HTML, client_of

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Names that both languages write alike.
SAME = {"MDC", "ADRG", "DRG", "drgcore"}


def document(**asked: Any) -> dict[str, Any]:
    """The OpenAPI document as somebody asks for it."""
    told: dict[str, Any] = client_of().get("/openapi.json", **asked).json()
    return told


@cache
def described(lang: Language) -> dict[str, Any]:
    """The document in a language."""
    return document(params={"lang": lang})


@cache
def tools(language: Language) -> list[dict[str, Any]]:
    """The tools as an assistant gets them."""
    with use_language(language):
        found = asyncio.run(make_tools().list_tools())
    return [tool.model_dump(by_alias=True) for tool in found]


def schemas(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named field and its schema, and every parameter."""
    if isinstance(node, list):
        for part in node:
            yield from schemas(part)
    elif isinstance(node, dict):
        if "in" in node and "schema" in node:
            yield node["name"], {**node["schema"], **node}
        yield from node.get("properties", {}).items()
        for part in node.values():
            yield from schemas(part)


def without_texts(node: Any) -> Any:
    """A document without what is said in words."""
    if isinstance(node, list):
        return [without_texts(part) for part in node]
    if not isinstance(node, dict):
        return node
    texts = ("title", "summary", "description")
    return {
        key: without_texts(part)
        for key, part in node.items()
        if not (key in texts and isinstance(part, str))
    }


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_call_field_and_answer_is_described(lang: Language) -> None:
    told = described(lang)
    calls = [call for methods in told["paths"].values() for call in methods.values()]
    assert len(calls) > 30
    for call in calls:
        assert call["summary"]
        assert call["description"]
        assert {str(status) for status in ANSWERS} <= call["responses"].keys()
        assert all(answer["description"] for answer in call["responses"].values())
    found = [*schemas(told), *schemas([tool["inputSchema"] for tool in tools(lang)])]
    assert len(found) > 100
    for name, schema in found:
        assert schema.get("description"), name
        with use_language(lang):
            assert schema["title"] == heading(name)


def test_texts_are_in_their_language() -> None:
    chinese, english = ([*texts_of(described(lang))[0]] for lang in ("zh", "en"))
    for lang, said in (("zh", chinese), ("en", english)):
        for tool in tools(lang):
            said += [tool["description"], *texts_of(tool["inputSchema"])[0]]
    assert len(chinese) == len(english) > 300
    for zh, en in zip(chinese, english, strict=True):
        assert zh != en or zh in SAME
        assert CHINESE.search(zh) or zh in SAME
        # An English text may have a Chinese term in brackets or of a value.
        assert not CHINESE.search(re.sub(r"\([^)]*\)|[男女]", "", en)), en


def test_names_are_the_same_in_both_languages() -> None:
    assert without_texts(described("zh")) == without_texts(described("en"))
    assert described("zh")["info"]["title"] == described("en")["info"]["title"]
    assert without_texts(tools("zh")) == without_texts(tools("en"))


def test_every_reference_leads_somewhere() -> None:
    told = str(described("en"))
    named = set(re.findall(r"'\$ref': '([^']*)'", told))
    assert named
    for reference in named:
        prefix, _, name = reference.rpartition("/")
        assert prefix == "#/components/schemas"
        assert name in described("en")["components"]["schemas"]


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ({}, "en"),
        ({"headers": {"accept-language": "zh-CN,zh;q=0.9"}}, "zh"),
        ({"headers": {"accept-language": "zh"}, "params": {"lang": "en"}}, "en"),
        ({"headers": {"cookie": "drgcore_lang=zh"}}, "zh"),
    ],
)
def test_the_document_is_in_the_language_of_the_request(
    asked: dict[str, Any], lang: Language
) -> None:
    assert document(**asked) == described(lang)


def test_the_document_is_in_the_language_of_the_server() -> None:
    client = client_of(Settings(lang="zh"))
    assert client.get("/openapi.json").json() == described("zh")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("查找编码", "编码、名称，或名称的拼音首字母", "令牌缺失或不正确。", "查询参数")),
        ("en", ("Search codes", "a code, a name, or pinyin initials", "The token is missing")),
    ],
)
def test_the_page_is_in_the_language_of_the_request(lang: str, words: tuple[str, ...]) -> None:
    page = client_of().get("/docs", params={"lang": lang}, headers=HTML).text
    for word in words:
        assert word in page
    assert 'lang="en"' not in page.partition("<main")[2]


def test_an_answer_is_in_the_language_of_the_request() -> None:
    case = {"principal_diagnosis": "N40.x00", "sex": 2, "age_years": 65}
    for lang, words in (("zh", "编码依据病历记录"), ("en", "Coding follows the record")):
        asked = {"params": {"lang": lang}, "json": {"case": case}}
        assert words in client_of().post("/what-if", **asked).json()["note"]
    texts = {
        lang: client_of()
        .post("/explain", params={"lang": lang}, json={"case": case})
        .json()["text"]
        for lang in ("zh", "en")
    }
    assert texts["zh"] != texts["en"]
    given = {"json": {"case": case, "lang": "zh"}, "params": {"lang": "en"}}
    assert client_of().post("/explain", **given).json()["text"] == texts["zh"]


def test_a_tool_answers_in_the_language_that_is_spoken() -> None:
    async def explained() -> str:
        case = {"principal_diagnosis": "G11.900", "sex": 2, "age_years": 69}
        answer = await make_tools().call_tool("explain", {"case": case})
        return str(answer)

    with use_language("zh"):
        chinese = asyncio.run(explained())
        assert CHINESE.search(make_tools().instructions or "")
    english = asyncio.run(explained())
    assert chinese != english
    assert "主要诊断" in chinese
