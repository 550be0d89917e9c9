"""The words of the dashboard: English is the key."""

from __future__ import annotations

CHINESE: dict[str, str] = {
    "Dashboard": "看板",
    "Settled by": "结算账本",
    "not settled": "未结算",
    "Hospital": "医院",
    "Department": "科室",
    "DRG, ADRG or MDC": "DRG、ADRG或MDC",
    "all": "全部",
    "No filter": "清除筛选",
    "The cases are being added up; this page comes back by itself.": (
        "正在汇总病例，本页将自动刷新。"
    ),
    "Choose a file of grouped cases. With a ledger payment stands beside cost.": (
        "请选择已分组病例文件；选择账本后可对照支付与费用。"
    ),
    "No case is of this choice.": "没有符合条件的病例。",
    "CMI and cost index": "CMI与费用消耗指数",
    "{dear} of {all} are dearer than the same groups elsewhere (index above 1).": (
        "{all}个单位中有{dear}个的费用高于同组平均（指数大于1）。"
    ),
    "Light cases and dear ones (dashed): {names}.": "难度低而费用高（虚线）：{names}。",
    "Table": "数据表",
    "Months": "各月",
    "Cost index from {low} ({low_month}) to {high} ({high_month}).": (
        "费用消耗指数最低 {low}（{low_month}），最高 {high}（{high_month}）。"
    ),
    "The largest groups": "病例最多的病组",
    "{n} of {all} groups hold {share} of the grouped cases.": (
        "{all}个病组中前{n}个占入组病例的 {share}。"
    ),
    "From all cases to grouped cases": "入组情况",
    "{share} of {n} cases are grouped.": "{n}例中 {share} 已入组。",
    "Payment against cost by MDC [yuan]": "各MDC盈亏（元）",
    "{n} of {all} MDC lose, together {lost} yuan.": "{all}个MDC中{n}个亏损，合计 {lost} 元。",
    "The largest loss of a group: {drg} {name}, {amount} yuan.": (
        "亏损最大的病组：{drg} {name}，{amount} 元。"
    ),
    "By MDC": "按MDC",
    "By DRG": "按DRG",
    "By unit": "按单位",
    "Why payment is not cost [yuan]": "盈亏构成（元）",
    "Payment {payment}, cost {cost}; the parts add up to the difference of {surplus} yuan.": (
        "支付 {payment}，费用 {cost}；各部分之和为差额 {surplus} 元。"
    ),
    "Cost index by month": "各月费用消耗指数",
}
"""English text → Chinese text."""
