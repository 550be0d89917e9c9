"""The lines of an explained statement in Chinese."""

from __future__ import annotations

import re
from functools import cache

from drgcore.report.chinese import WORDS_ZH
from drgcore.serve.texts.columns import VALUES

LINES: dict[str, str] = {
    "points (基金点数)": "基金点数",
    "all": "合计",
    "withdrawn or awarded": "扣减或奖励",
    "point value (点值): {shown} points = {yuan} yuan": "点值：{shown} 点 = {yuan} 元",
    "point value (点值): none; the month pays claims": "点值：无，本月按申报支付",
    "point value (点值): given, {yuan} yuan": "点值：给定，{yuan} 元",
    "point value (点值): given, {yuan} yuan; a case at most its claim": (
        "点值：给定，{yuan} 元；每例不超过申报额"
    ),
    "budget after sharing with the fund, A' ({account})": "与基金分担后的预算A'（{account}）",
    "ceiling": "上限",
    "left by it to the reserve": "超上限转入调剂金",
    "floor": "下限",
    "paid by the reserve": "调剂金支付",
    "to be divided": "用于分配",
    "claims": "申报额",
    "cut by claims, and each case rounded to the fen": "按申报额封顶，逐例取整到分",
    "cases at the given value, Σ min(v·Q, claim)": "按给定点值，Σ min(v·Q, 申报额)",
    "points × point value": "点数×点值",
    "− borne by patients and other payers": "− 个人及其他负担",
    "entitlement": "应付额",
    "− refused by audit": "− 审核扣款",
    "carried in": "上期结转",
    "prepaid (预付), θ = {theta}": "预付，θ = {theta}",
    "held back into the incentive pool": "预留，计入激励机制基金池",
    "of it quality money (质量保证金)": "其中质量保证金",
    "carried forward, not paid": "结转下期，本期不付",
    "paid by item, outside the points": "点数外按项目支付",
    "money on top of points, from {account}": "点数外追加，出自{account}",
    "still to be paid of it": "其中尚未支付",
    "prepaid in the months": "各月预付",
    "adjustments": "调整",
    "all adjustments": "调整合计",
    "incentive pool (激励机制基金池)": "激励机制基金池",
    "held back from all hospitals": "全部医院预留",
    "held back here": "本院预留",
    "share of the pool": "本院分得",
    "pool × κ·E ÷ Σ κ·E": "基金池 × κ·E ÷ Σ κ·E",
    "pool × κ·E ÷ Σ κ·E, at most {cap} × held back here": (
        "基金池 × κ·E ÷ Σ κ·E，不超过 {cap} × 本院预留"
    ),
    "quality money (质量保证金) held back here": "本院质量保证金",
    "returned by its own result": "按考核结果返还",
    "of what others did not get back, by κ·E": "他院未返还部分按κ·E分得",
    "of what was held back, in all": "预留部分合计返还",
    "surplus and deficit (结余留用、合理超支分担)": "结余留用、合理超支分担",
    "settled together as {unit}: {hospitals}": "合并清算：{unit}（{hospitals}）",
    "K, the capitated budget": "K，包干总额",
    "V, charged for its insured": "V，参保人发生费用",
    "E, entitlement": "E，应付额",
    "F, cost by item": "F，按项目费用",
    "K ÷ V = {ratio}, share {share}": "K ÷ V = {ratio}，比例 {share}",
    "E ÷ F = {ratio}, share {share}": "E ÷ F = {ratio}，比例 {share}",
    "− surplus returned": "− 结余上缴",
    "− surplus returned, {unit}": "− 结余上缴，{unit}",
    "from the capitated budget, {unit}": "包干总额结算，{unit}",
    "from the capitated budget": "包干总额结算",
    "deficit borne by the reserve, {unit}": "调剂金分担超支，{unit}",
    "deficit borne by the reserve": "调剂金分担超支",
    "final payment (清算额)": "清算额",
    "− prepaid": "− 已预付",
    "− advance at the start of the year (预付金)": "− 年初预付金",
    "balance due": "应补付",
    "to be recovered": "应追回",
    "{month} {kind}, {number} points": "{month} {kind}，{number} 点",
    "{month} {kind}": "{month} {kind}",
}
"""A line without its amount → Chinese, with the same names in braces."""

_WORDS = {**WORDS_ZH, **VALUES}
_MONTH = r"\d{4}-\d{2}"


def line_in(lang: str, text: str) -> str:
    """A line of a statement in a language; one that is not listed stays as it is.

    Parameters
    ----------
    lang : {"zh", "en"}
    text : str

    Examples
    --------
    >>> line_in("zh", "prepaid (预付), θ = 0.95"), line_in("zh", "2027-03 value")
    ('预付，θ = 0.95', '2027-03 点值')
    """
    if lang != "zh":
        return text
    if text.startswith(tuple("(⌊⌈-0123456789")) and " = " in text:
        return text.replace("largest remainder", "最大余数")
    if text in _WORDS:
        return _WORDS[text]
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return chinese.format(**{n: _WORDS.get(v, v) for n, v in found.groupdict().items()})
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(english), chinese) for english, chinese in LINES.items()]


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    for at in range(0, len(parts), 2):
        parts[at] = re.escape(parts[at])
    for at in range(1, len(parts), 2):
        parts[at] = f"(?P<{parts[at]}>{_MONTH if parts[at] == 'month' else '.+'})"
    return re.compile("".join(parts))
