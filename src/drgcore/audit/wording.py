"""What signals are called, and what they say and do not say."""

from __future__ import annotations

SIGNAL_NAMES = {
    "upcoding": "并发症编码偏多线索",
    "split_stays": "分解住院、短期再入院线索",
    "low_indication": "低指征入院线索",
}
"""Chinese name of each signal, in the order in which they are shown."""

DEFINITIONS = {
    "upcoding": "同 ADRG、同年龄段内 MCC/CC 例数多于同行",
    "split_stays": "同一患者短期内再次入住同院同 MDC 的例数多于同病组同行",
    "low_indication": "短住院、低费用、无手术操作的例数多于同病组同行",
}
"""What is counted, and compared with whom."""

CAUTION = (
    "以下均为线索，不是结论：与同行不同可能有正当原因（病例结构、专科特长、编码习惯），"
    "须查阅病历后判断。"
)
"""Said with every list: signals, not verdicts."""
