"""Headings of tables and words in their cells that reports do not have, in Chinese."""

from __future__ import annotations

HEADINGS: dict[str, str] = {
    "hospitals": "医院",
    "period": "期间",
    "account": "账户",
    "kind": "类别",
    "places": "小数位",
    "value": "点值差",
    "charged": "已发生费用",
    "transfer": "结余超支划转",
    "opening": "期初余额",
    "closing": "期末余额",
    "from_ceiling": "点值上限转入",
    "to_floor": "点值下限动用",
    "seq": "序号",
    "created_at": "入账时间",
    "scheme": "分组方案",
    "hash": "哈希",
    "case_id": "病例号",
    "drg_ours": "本方病组",
    "drg_returned": "返回病组",
    "points_ours": "本方点数",
    "points_returned": "返回点数",
    "amount_ours": "本方金额",
    "amount_returned": "返回金额",
    "group": "病组",
    "deduction": "扣款",
    "other": "其他",
    "difference": "差额",
    "share": "比例",
    "kinds": "差异类别",
    "rows": "行数",
    "total_cost": "总费用",
}
"""Name of a column → its Chinese heading; the English one is the name with spaces."""

VALUES: dict[str, str] = {
    "claims": "按申报",
    "given": "给定",
    "value": "点值",
    "late": "补报",
    "withdrawn": "撤销",
    "reviewed": "复核",
    "regrouped": "重新分组",
    "changed": "变更",
    "carried": "结转",
    "month": "月",
    "year": "年",
    "adjustment": "调整",
    "quality_money_held": "预留质量保证金",
    "quality_money_returned": "质量保证金返还",
    "quality_money_shared": "质量保证金再分配",
    "on_top": "点数外追加",
    "on_top_paid": "点数外追加已付",
    "missing_returned": "返回表缺",
    "missing_ours": "本方缺",
    "group": "病组不同",
    "other": "其他",
    "points": "点数不同",
    "deduction": "扣款不同",
}
"""A word of a table → Chinese; what is not listed, such as a hospital, stays as it is."""

WORDS_IN = frozenset({"pool", "case_class", "basis", "limited", "item", "kind", "account"})
"""Columns whose cells are such words."""
