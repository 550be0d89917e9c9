"""The Chinese of every text of a report, and of the words of the library's tables."""

from __future__ import annotations

from drgcore.audit import SIGNAL_NAMES

TEXTS: dict[str, str] = {
    # The frame.
    "Contents": "目录",
    "Figures": "图",
    "Table": "表",
    "Figure": "图",
    "What to see": "看什么",
    "Filter": "筛选",
    "The first {shown} of {all} rows.": "仅列出前{shown}行，共{all}行。",
    "All rows and columns are in the workbook {name}.": "全部行与列见工作簿 {name}。",
    "Printed are the first {shown} rows.": "打印时仅印前{shown}行。",
    "; ": "；",
    "scheme {name}": "分组方案 {name}",
    "policy {name}": "政策 {name}",
    "Not shown: {what}. {why}": "未显示：{what}。{why}",
    "The cases have no column {name}.": "病例没有 {name} 列。",
    "There are no cases.": "没有病例。",
    "Nothing was given as settled.": "没有给出结算结果。",
    "It needs a policy and the value of a point: --policy, --ledger or --value.": (
        "需要政策与点值：--policy、--ledger 或 --value。"
    ),
    # Titles of reports.
    "DRG report of {period}": "DRG 运行报告 {period}",
    "DRG report of hospital {name}": "医院 DRG 运行报告 {name}",
    "DRG report of department {name}": "科室 DRG 运行报告 {name}",
    "Report of the grouping": "入组情况报告",
    "From {before} to {after}": "由 {before} 到 {after}",
    "Signals for auditors": "审核线索报告",
    "Policies side by side": "政策方案对比（谈判用）",
    # Facts.
    "cases": "病例数",
    "grouping rate": "入组率",
    "total cost": "总费用",
    "mean cost": "次均费用",
    "yuan": "元",
    "point value, {pool}": "点值（{pool}）",
    # Money.
    "point value and prepayments": "点值与预付",
    "Point value by month with its parts": "各月点值及其构成",
    "No month is settled.": "尚无已结算的月份。",
    "Nothing is settled for it.": "该期尚无结算。",
    "{pool}: from {low} yuan ({low_month}) to {high} yuan ({high_month}).": (
        "{pool}：最低 {low} 元（{low_month}），最高 {high} 元（{high_month}）。"
    ),
    "{pool}: {value} yuan.": "{pool}：{value} 元。",
    "The value falls where points grow faster than the money; compare the three columns.": (
        "点数比资金增长快时点值下降，请对照三列图。"
    ),
    "value [yuan]": "点值（元）",
    "money": "资金",
    "points [10,000]": "点数（万）",
    "fund": "基金",
    "patients": "个人负担",
    "from the reserve": "调剂金",
    "Lines of the point value of each pool by month, bars of money and of points.": (
        "各基金按月点值折线，资金与点数柱形。"
    ),
    "Prepayment by hospital": "各医院预付",
    "{prepaid} are prepaid and {held} are held back for the pool; the largest hospital, {first}, "
    "gets {share}.": "共预付{prepaid}，预留{held}入激励池；预付最多的医院 {first} 占 {share}。",
    "prepaid": "预付",
    "held back": "预留",
    "Bars of prepayment and holding by hospital, a panel for each pool.": (
        "各医院预付与预留柱形，每个基金一幅。"
    ),
    "Prepayment and pool by hospital": "各医院预付与激励池",
    "The year pays {final}, of which {pool} from the incentive pool; {short} of {all} hospitals "
    "are paid less than their cases cost the fund by item. The black mark is the final payment.": (
        "全年清算{final}，其中激励池{pool}；{all}家医院中有{short}家的清算额低于按项目计算的"
        "基金费用。黑色竖线为清算额。"
    ),
    "incentive pool": "激励池",
    "deficit borne by the fund": "基金分担超支",
    "surplus returned": "结余上缴",
    "adjustments": "调整",
    "final payment": "清算额",
    "Bars of prepayment, pool and bands by hospital, a panel for each pool.": (
        "各医院预付、激励池与结余超支柱形，每个基金一幅。"
    ),
    "Balance at the year end by settlement unit": "各结算单元年终应补（扣）",
    "{paid} are still to be paid to {some} settlement units and {back} to be recovered from "
    "{others}.": "应补付{some}个结算单元共{paid}，应追回{others}个结算单元共{back}。",
    "Bars of the balance: to the right still to be paid, to the left recovered.": (
        "应补（扣）柱形：向右为补付，向左为追回。"
    ),
    "From the budget to the payments": "从预算到支付",
    "Each step takes its part of the budget until nothing is left.": "每一步取走预算的一部分，直至分毫不剩。",
    "{pool}: of {budget} {left} are unaccounted.": "{pool}：预算{budget}，未入账 {left} 元。",
    "A waterfall from the budget of each pool to nothing left.": "瀑布图：各基金预算逐项分配至零。",
    "The reserve within the year": "调剂金全年变动",
    "{pool}: from {opening} to {closing}.": "{pool}：年初{opening}，年末{closing}。",
    "A waterfall from the opening of the reserve to its closing.": "瀑布图：调剂金由年初到年末。",
    "held back in {month}": "{month} 预留",
    # Cases.
    "From all cases to grouped cases": "从全部病例到入组病例",
    "all cases": "全部病例",
    "complete": "信息完整",
    "in an MDC": "进入MDC",
    "grouped": "入组",
    "{n} invalid": "无效 {n} 例",
    "{n} in no MDC": "未入MDC {n} 例",
    "{ambiguous} ambiguous, {rest} not grouped": "歧义 {ambiguous} 例，未入组 {rest} 例",
    "{grouped} of {all} cases are grouped ({share}).": "{all}例中入组{grouped}例（{share}）。",
    "The most frequent reason of the others: {reason} ({n}).": "其余病例最常见的原因：{reason}（{n}例）。",
    "A funnel of the cases that are left after each step.": "漏斗图：每一步后剩余的病例。",
    "Why cases are not grouped": "未入组原因",
    "Every case is grouped.": "全部病例均已入组。",
    "{n} cases have a reason; the first, {reason}, is that of {share} of them.": (
        "共{n}例未正常入组；首位原因为{reason}，占 {share}。"
    ),
    "Bars of the cases by reason.": "各原因病例数柱形。",
    "Hospitals by CMI and cost index": "各医院CMI与费用消耗指数",
    "No hospital has a CMI and a cost index.": "没有医院同时具有CMI与费用消耗指数。",
    "The highest CMI is that of {first} ({cmi}). {n} of {all} hospitals stand at the lower right: "
    "simpler cases at higher cost than the region.": (
        "CMI最高的是 {first}（{cmi}）。{all}家医院中有{n}家位于右下：病例较轻而费用高于区域。"
    ),
    "{hospital} (hatched): CMI {cmi}, cost index {cost}.": (
        "{hospital}（斜线）：CMI {cmi}，费用消耗指数 {cost}。"
    ),
    "cost index (1: as dear as the region for the same groups)": "费用消耗指数（1为同病组区域水平）",
    "cost index": "费用消耗指数",
    "CMI": "CMI",
    "weight": "权重",
    "area: number of cases": "面积：病例数",
    "Bubbles of hospitals: cost index to the right, CMI upward, area by cases.": (
        "医院气泡图：横轴费用消耗指数，纵轴CMI，面积为病例数。"
    ),
    "Distribution of the groups": "病组分布",
    "No case is in a group.": "没有入组病例。",
    "Half of the cases lie in {half} of {all} groups; {few} groups have fewer than five cases, so "
    "that their means say little.": (
        "半数病例集中在{half}个病组（共{all}个）；{few}个病组不足5例，其均值参考意义有限。"
    ),
    "number of groups": "病组数",
    "share of cases [%]": "病例累计占比（%）",
    "Bars of the largest groups, and the curve of the share of cases in the first groups.": (
        "例数最多的病组柱形，及病例累计占比曲线。"
    ),
    "Cases by MDC": "各MDC病例",
    "No case is in an MDC.": "没有病例进入MDC。",
    "The largest is {mdc} {name} with {n} cases ({share}).": "最多的是 {mdc} {name}，{n}例（{share}）。",
    "Bars of the cases by MDC.": "各MDC病例数柱形。",
    "Departments by month": "各科室逐月",
    "No case names one.": "没有病例写明。",
    "The {n} largest of {all}, on one scale; 1 is the region.": (
        "例数最多的{n}个（共{all}个），同一刻度；1为区域水平。"
    ),
    "Dearest for its groups: {name} (cost index {cost}).": "同病组费用最高：{name}（费用消耗指数 {cost}）。",
    "Small figures of cost index and CMI by month, one a unit.": "逐月费用消耗指数与CMI小图，每单位一幅。",
    "Groups by weight and cost index": "病组权重与费用消耗指数",
    "No group has a weight and a cost.": "没有病组同时具有权重与费用。",
    "{n} of {all} groups are heavy and dearer than the region (hatched): look at their costs "
    "first.": "{all}个病组中有{n}个权重高且费用高于区域（斜线），应首先关注其费用。",
    "Bubbles of groups: cost index to the right, weight upward, area by cases.": (
        "病组气泡图：横轴费用消耗指数，纵轴权重，面积为病例数。"
    ),
    # Profit and loss.
    "Profit and loss": "病组盈亏",
    "Profit and loss by hospital": "各医院盈亏",
    "Profit and loss by MDC": "各MDC盈亏",
    "Profit and loss by DRG": "各DRG盈亏",
    "No case has a payment.": "没有病例有支付额。",
    "{n} of {all} lose, together {lost}; the others gain {won}.": (
        "{all}个中有{n}个亏损，合计{lost}；其余盈余{won}。"
    ),
    "{n} of {all} lose, together {lost}.": "{all}个中有{n}个亏损，合计{lost}。",
    "The largest loss: {name} ({amount}).": "亏损最多：{name}（{amount}）。",
    "largest losses": "亏损最多",
    "largest surpluses": "盈余最多",
    "Bars: gains to the right, losses to the left.": "柱形：向右为盈余，向左为亏损。",
    "From cost to payment": "从费用到支付",
    "Cases cost {cost} and are paid {paid}: {difference}.": "病例费用{cost}，支付{paid}，盈亏{difference}。",
    "Most of the difference is {part} ({amount}).": "差额主要来自{part}（{amount}）。",
    "A waterfall of the parts that add up to the surplus.": "瀑布图：各构成合计为盈亏。",
    # A hospital's money.
    "point value and payments": "点值与清算",
    "payments of the year": "年度清算",
    "The year end is not settled.": "年终尚未清算。",
    "Statement by month": "逐月结算单",
    "{prepaid} were prepaid in {n} months, at most in {month}.": "{n}个月共预付{prepaid}，最多的是 {month}。",
    "Bars of prepayment and holding by month, a panel for each pool.": "逐月预付与预留柱形，每个基金一幅。",
    "From prepayment to the final payment": "从预付到清算",
    "{pool}: final payment {final}, of which {balance} are still due.": "{pool}：清算额{final}，其中应补（扣）{balance}。",
    "A waterfall from the prepayment to the final payment.": "瀑布图：由预付到清算额。",
    "Profit and loss by department": "各科室盈亏",
    "Profit and loss by doctor": "各医师盈亏",
    "Doctors by month": "各医师逐月",
    # Grouping.
    "Grouping rate by hospital": "各医院入组率",
    "Grouping rate by department": "各科室入组率",
    "ambiguous": "歧义",
    "The lowest rate: {name} with {share} of {n} cases; look at its reasons first.": (
        "入组率最低：{name}（{n}例中 {share}），应首先查看其未入组原因。"
    ),
    "Bars of the grouped and the ambiguous share of each unit.": "各单位入组与歧义占比柱形。",
    # Another scheme.
    "scheme before": "原方案",
    "scheme after": "新方案",
    "no group": "无分组",
    "No case changes.": "没有病例变化。",
    "No case changes its ADRG.": "没有病例改变ADRG。",
    "Nothing can be compared.": "没有可比较的内容。",
    "Status before and after": "两版入组状态",
    "{n} of {all} cases keep their status ({share}).": "{all}例中{n}例状态不变（{share}）。",
    "Bands from the status before to the status after.": "流向图：原状态到新状态。",
    "Flows between ADRG": "ADRG间流向",
    "{n} cases change their ADRG, {renamed} keep it under another code. The largest flow: "
    "{before} → {after} ({cases}).": (
        "{n}例改变ADRG，{renamed}例仅换码。最大流向：{before} → {after}（{cases}例）。"
    ),
    "Bands from the groups before to the groups after, as wide as cases move.": (
        "流向图：原病组到新病组，宽度为病例数。"
    ),
    "Where the paths part": "分歧层级",
    "Reasons of the changes": "变化原因",
    "Of {all} changed cases the most: {what} ({share}).": "{all}例变化中最多的是{what}（{share}）。",
    "Bars of the changed cases.": "变化病例柱形。",
    "The single causes": "具体原因",
    "{n} different causes; the first ten explain {share} of the changed cases.": (
        "共{n}种具体原因，前十种解释了 {share} 的变化病例。"
    ),
    "Weight of hospitals": "各医院权重变化",
    "Weight of MDC": "各MDC权重变化",
    "Weight of departments": "各科室权重变化",
    "change of weight [%]": "权重变化（%）",
    "From {low} ({low_share}) to {high} ({high_share}) of weight.": (
        "权重变化最小为 {low}（{low_share}），最大为 {high}（{high_share}）。"
    ),
    "Bars: more weight to the right, less to the left.": "柱形：向右为权重增加，向左为减少。",
    # Signals.
    "These are signals, not verdicts: look at the records before you judge.": (
        "以下均为线索，不是结论，须查阅病历后判断。"
    ),
    "Signals by kind": "各类线索",
    "{run} of {all} kinds were looked for; {kinds} show signals, {n} in all, with {cases} cases "
    "to see.": "{all}类线索中运行{run}类，{kinds}类出现线索共{n}条，涉及{cases}例待查。",
    "Bars of the signals of each kind.": "各类线索数柱形。",
    "Units beside their peers": "各单位与同行比较",
    "{n} signals (filled marks); the first: {unit}, {signal}: {observed} cases where {expected} "
    "are expected.": (
        "共{n}条线索（实心标记）；首条：{unit}，{signal}，实际{observed}例，期望{expected}例。"
    ),
    "No unit differs by more than chance may make it; shown are the least likely ones.": (
        "没有单位的差异超出偶然范围；图中为偶然概率最小者。"
    ),
    "observed beside expected, with 95 % limits; 1: as its peers": "实际/期望及95%界限；1为同行水平",
    "Ratios of units with their limits, on a scale of factors.": "各单位比值及界限，对数刻度。",
    # A negotiation.
    "What differs between the policies": "方案差异",
    "{policy}: {n} parameters differ.": "{policy}：{n}个参数不同。",
    "The policies do not differ.": "各方案没有差异。",
    "There is one policy.": "只有一个方案。",
    "Pools and point values": "基金与点值",
    "{pool}, {policy}: {value} yuan a point, {difference}.": "{pool}，{policy}：点值 {value} 元，变化{difference}。",
    "Bars of the change of money of each pool.": "各基金金额变化柱形。",
    "{policy}: {lost} lose, {won} gain.": "{policy}：{lost}个减少，{won}个增加。",
    "Who gains and who loses: hospitals": "谁增谁减：医院",
    "Who gains and who loses: levels": "谁增谁减：医院级别",
    "Who gains and who loses: MDC": "谁增谁减：MDC",
    "Who gains and who loses: classes of cases": "谁增谁减：病例类型",
}
"""English template → Chinese template, with the same named places."""

WORDS_ZH: dict[str, str] = {
    **SIGNAL_NAMES,
    # Pools of the shipped presets.
    "employee": "职工医保",
    "resident": "居民医保",
    # Status, classes of cases.
    "grouped": "已入组",
    "ambiguous": "歧义",
    "ungrouped": "未入组",
    "invalid": "无效",
    "normal": "正常",
    "high_cost": "高倍率",
    "low_cost": "低倍率",
    "unstable": "非稳定病组",
    "no_base_points": "无基准点数",
    "bed_day": "床日",
    "fixed_price": "定额",
    "special_review": "特病单议",
    "outside": "点数外",
    "estimated": "估算",
    # Basis and limits of a point value.
    "total_cost": "总费用",
    "fund": "基金",
    "floor": "下限",
    "ceiling": "上限",
    # Two schemes.
    "status": "仅一版有效",
    "mdc": "MDC不同",
    "adrg": "ADRG不同",
    "drg": "同ADRG内DRG不同",
    "code": "同一病组换码",
    "before": "原方案",
    "after": "新方案",
    "case": "病例",
    "moved": "移入他组",
    "renamed": "换码",
    "kept": "不变",
    "lost": "失去分组",
    "gained": "获得分组",
    "yes": "是",
    "no": "否",
    # Quadrants.
    "advantage": "优势",
    "watch": "重点关注",
    "potential": "潜力",
    "shrink": "劣势",
    # Where the budget went, and moves of the reserve.
    "budget of the year": "年度预算",
    "paid in advance": "月度预付",
    "balance paid at the year end": "年终补付",
    "refused by audit": "审核扣款",
    "paid by item outside the points": "点数外按项目支付",
    "reserve": "调剂金",
    "incentive pool, not shared out": "激励池未分配",
    "owed by hospitals, carried forward": "医院欠款结转",
    "carried in from the year before": "上年结转",
    "unaccounted": "未入账",
    "opening": "年初余额",
    "closing": "年末余额",
    "left by the ceiling": "点值上限结余",
    "used for the floor": "用于点值下限",
    "pool beyond the cap": "激励池超上限部分",
    "surpluses returned": "结余上缴",
    "borne by capitated units": "包干单元自担",
    "decided adjustments": "核定调整",
    "deficits borne": "分担超支",
    "kept by capitated units": "包干单元留用",
    "surplus shared with the fund": "与基金分享结余",
    "deficit shared by the fund": "基金分担超支",
    "money on top of points": "点数外追加",
    "shared out": "已分配",
    "to the reserve": "转入调剂金",
    "not shared out": "未分配",
}
"""Word of a table → Chinese."""
