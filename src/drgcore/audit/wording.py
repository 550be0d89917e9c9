"""What signals are called, and what they say and do not say."""

from __future__ import annotations

SIGNAL_NAMES = {
    "upcoding": "并发症编码偏多线索",
    "rise": "并发症编码上升线索",
    "split_stays": "分解住院、短期再入院线索",
    "low_indication": "低指征入院线索",
    "shifted": "费用前移、外移线索",
    "refusal": "推诿重症线索",
    "few_services": "服务不足线索",
    "mismatch": "主要诊断与主要手术不符线索",
    "copied_lists": "诊断组合雷同线索",
    "outlier_edge": "高倍率临界聚集线索",
    "long_stay_edge": "超长住院临界聚集线索",
}
"""Chinese name of each signal, in the order in which they are shown."""

DEFINITIONS = {
    "upcoding": "同 ADRG、同年龄段内 MCC/CC 例数多于同行",
    "rise": "同 ADRG、同年龄段内 MCC/CC 例数多于本单位前期所示，且升幅大于各单位共同的升幅",
    "split_stays": "同一患者短期内再次入住同院同 MDC 的例数多于同病组同行",
    "low_indication": "短住院、低费用、无手术操作的例数多于同病组同行",
    "shifted": "入院前及门诊费用占比高的例数多于同病组同行",
    "refusal": "同 ADRG、同年龄段内 MCC/CC 例数少于同行",
    "few_services": "费用远低于同级别病组均值而全额支付的例数多于同行",
    "mismatch": "歧义病例、主要诊断与主要手术不属同一 MDC 的病例多于同 MDC 同行",
    "copied_lists": "同一医师多例其他诊断完全相同，多于同 ADRG 同行",
    "outlier_edge": "费用刚超过高倍率界值的例数多于界值两侧密度所示",
    "long_stay_edge": "住院天数刚好不超过界值的例数多于界值两侧密度所示",
}
"""What is counted, and compared with whom."""

CAUTION = (
    "以下均为线索，不是结论：与同行不同可能有正当原因（病例结构、专科特长、编码习惯），"
    "须查阅病历后判断。"
)
"""Said with every list: signals, not verdicts."""
