"""The words of the pages: English is the key, Chinese stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drgcore.serve.settings import LANGUAGES, Language

_CHINESE = {
    "Workbench": "工作台",
    "Skip to content": "跳到正文",
    "Pages": "页面",
    "Language": "语言",
    "Home": "首页",
    "API": "接口",
    "Sign in": "登录",
    "Sign out": "退出",
    "Token": "口令",
    "The token is not right.": "口令不正确。",
    "Too many attempts; wait a minute.": "尝试次数过多，请一分钟后再试。",
    "The token stands in the file that the server was started with.": (
        "口令写在启动服务时指定的文件中。"
    ),
    "Everything stays on this machine: no page asks another one for anything.": (
        "所有数据只在本机处理：任何页面都不会访问其他服务器。"
    ),
    "This page as data (JSON)": "本页数据（JSON）",
    "There is no such page": "没有这个页面",
    "That did not work": "操作未成功",
    "The interface for programs": "供程序调用的接口",
    "Each call takes and gives JSON; the description in full is openapi.json.": (
        "每个调用的输入输出均为JSON；完整说明见openapi.json。"
    ),
    "Call": "调用",
    "What it does": "用途",
    "Takes": "输入",
    "version": "版本",
}

WORDS: Mapping[str, str] = MappingProxyType(_CHINESE)
"""English text → Chinese text."""


def speaker(lang: Language) -> Callable[..., str]:
    """What says a text in a language.

    Parameters
    ----------
    lang : {"zh", "en"}

    Returns
    -------
    callable
        From the English text, and values for the names in braces, to the text in the language. A
        text that the catalogue lacks is an error, so that no page is half translated.

    Examples
    --------
    >>> speaker("zh")("Sign in"), speaker("en")("Sign in")
    ('登录', 'Sign in')
    """

    def say(text: str, **values: object) -> str:
        chinese = WORDS[text]
        shown = chinese if lang == "zh" else text
        return shown.format(**values) if values else shown

    return say


def preferred(accept_language: str) -> Language:
    """The language that a browser likes best of those that there are; Chinese without any.

    Parameters
    ----------
    accept_language : str
        The header of that name.

    Examples
    --------
    >>> preferred("en-GB,en;q=0.9,zh;q=0.5"), preferred("de, zh-CN;q=0.8"), preferred("de")
    ('en', 'zh', 'zh')
    """
    wishes = []
    for place, part in enumerate(accept_language.lower().split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.split("-")[0]))
    known = [name for _, _, name in sorted(wishes) if name in LANGUAGES]
    return "en" if known[:1] == ["en"] else "zh"
