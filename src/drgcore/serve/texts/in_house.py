"""The words of the page of patients in house: English is the key."""

from __future__ import annotations

CHINESE: dict[str, str] = {
    "In house": "在院患者",
    "Nobody has said where patients in house are read. Start the server with --in-house "
    "FILE_OR_URL --history FILE.": (
        "尚未指定在院患者数据来源。请用 --in-house 文件或数据库地址 --history 历史病例 启动服务。"
    ),
    "The estimate is learning from past cases; this page comes back by itself.": (
        "正在学习历史病例，本页将自动刷新。"
    ),
    "The source cannot be read now; this is what was read at {time}.": (
        "数据来源暂时无法读取，以下为 {time} 读取的内容。"
    ),
    "{n} patients, read at {time}; scheme {scheme}.": (
        "在院 {n} 人，读取时间 {time}；分组方案 {scheme}。"
    ),
    "Of past cases held back the likeliest group came true in {first}, one of three in {three}.": (
        "以历史病例检验：首选病组命中 {first}，前三命中 {three}。"
    ),
    "Warning": "预警",
    "Likely group": "可能病组",
    "Or": "其次",
    "Cost so far": "已发生费用",
    "Expected payment": "预计支付",
    "Cost ÷ mean": "费用÷组均",
    "Days ÷ mean days": "天数/组均天数",
    "Missing": "缺少",
    "The first {shown} of {all} rows.": "仅列出前{shown}行，共{all}行。",
}
"""English text → Chinese text."""

TERMS: dict[str, tuple[str, str]] = {
    "level critical": ("critical", "严重"),
    "level warning": ("warning", "预警"),
    "level notice": ("notice", "关注"),
    "level unknown": ("no estimate", "无法估计"),
    "level none": ("nothing", "正常"),
}
"""What data call it → English and Chinese."""
