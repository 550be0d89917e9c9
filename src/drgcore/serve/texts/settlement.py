"""The words of the pages about settlement: English is the key."""

from __future__ import annotations

CHINESE: dict[str, str] = {
    "Settlement": "结算",
    "Ledger": "账本",
    "Trial settlement": "试算",
    "Statements": "结算单",
    "Statement of a hospital": "医院结算单",
    "Nothing here.": "无。",
    "Open": "打开",
    "Show": "显示",
    "Period": "期间",
    "Month": "月份",
    "Year": "年度",
    "Years": "年度清算",
    "{year}, settled": "{year} 年清算",
    "No year is settled yet.": "尚无已清算的年度。",
    "No ledger is in the data folders. Start the server with --data FOLDER, where FOLDER holds a "
    "ledger (.sqlite).": (
        "数据目录中没有账本。请用 --data 目录 启动服务，目录中应有账本文件（.sqlite）。"
    ),
    "The ledger is not sound.": "账本不一致。",
    "{ledger}: {n} entries; the chain of hashes and all sums are right.": (
        "{ledger}：共{n}条记录，哈希链与全部合计校验无误。"
    ),
    "Value of a point by month [yuan]": "各月点值（元）",
    "What to see:": "看什么：",
    "{pool}: from {low} ({low_month}) to {high} ({high_month}).": (
        "{pool}：最低 {low}（{low_month}），最高 {high}（{high_month}）。"
    ),
    "It falls where points grow faster than the money.": "点数比资金增长快时点值下降。",
    "Decisions about closed months": "对已关账月份的核定",
    "Closed periods": "已关账期间",
    "Entries of the ledger": "账本记录",
    "{period}, closed by policy {policy}, scheme {scheme}.": (
        "{period}，按政策 {policy}、分组方案 {scheme} 关账。"
    ),
    "Point values": "点值",
    "Statements of the hospitals": "各医院结算单",
    "A hospital's code opens its statement with every formula.": (
        "点击医院编码查看其结算单及每一步公式。"
    ),
    "Settlement units": "结算单元",
    "Reserve": "调剂金",
    "Incentive pool": "激励机制基金池",
    "Where every fen of the budget is": "预算每一分的去向",
    "Money beside the statement": "结算单外资金",
    "Adjustments": "调整",
    "Classes of cases": "病例类型",
    "Compare with the bureau's statement": "与医保返回表比对",
    "The returned statement, by case or by hospital": "医保返回表（按病例或按医院）",
    "or a file of the data folders": "或数据目录中的文件",
    "Compare": "比对",
    "A file that is sent is read and removed; nothing of it is kept.": (
        "上传的文件读取后即删除，不保留任何内容。"
    ),
    "{rows} rows, {share} agree.": "共{rows}行，{share} 一致。",
    "Ours {ours}, returned {returned}, difference {difference} yuan.": (
        "本方 {ours} 元，返回 {returned} 元，差额 {difference} 元。"
    ),
    "Differences by kind": "差异类别",
    "The largest {shown} of {all} rows that differ": "差额最大的{shown}行（共{all}行不一致）",
    "Rows that differ": "不一致的行",
    "Step": "步骤",
    "Amount": "金额",
    "{n} cases": "{n}例",
    "Every amount stands above the formula that gives it; what largest remainders moved is said.": (
        "每个金额下方为其算式；最大余数法调整的分会注明。"
    ),
    "As text, to copy": "文本（可复制）",
    "A whole year from grouped cases under a policy of your choice; nothing is entered in a "
    "ledger.": "用已分组病例按所选政策试算全年；不写入账本。",
    "Grouped cases": "已分组病例",
    "Policy": "政策",
    "κ or scores by hospital": "各医院κ或考核得分",
    "none, or as the ledger's year has them": "无，或取账本该年的κ",
    "Settle on trial": "开始试算",
    "Explain the payment of": "逐步解释医院",
    "the whole year": "全年",
    "Explain": "解释",
}
"""English text → Chinese text."""
