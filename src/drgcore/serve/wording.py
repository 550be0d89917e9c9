"""The words of the pages: English is the key, Chinese stands beside it; terms that data hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drgcore.serve.settings import LANGUAGES, Language
from drgcore.serve.texts import batch, dashboard, in_house, settlement

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
    "One case": "单病例分组",
    "Schemes": "分组方案",
    "A scheme": "分组方案内容",
    "Compare schemes": "分组方案比较",
    "Policies": "付费政策",
    "Type a code, a name or the initials of its pinyin; Enter takes it.": (
        "输入编码、名称或拼音首字母，按回车选用。"
    ),
    "Principal diagnosis": "主要诊断",
    "Other diagnoses": "其他诊断",
    "Principal procedure": "主要手术或操作",
    "Other procedures": "其他手术或操作",
    "Remove": "删除",
    "Make it the principal one": "设为主要",
    "excluded by the principal diagnosis": "被主要诊断排除",
    "unknown code": "未知编码",
    "heading, not for a settlement list": "置灰编码，不用于结算清单",
    "not as a principal diagnosis": "不作为主要诊断",
    "takes no part in grouping": "不参与分组",
    "Copied.": "已复制。",
    "The server does not answer.": "服务没有响应。",
    "codes found": "个编码",
    "Sex": "性别",
    "male": "男",
    "female": "女",
    "Age (years)": "年龄（岁）",
    "Age (days)": "日龄（天）",
    "Weight on admission (g)": "入院体重（克）",
    "Scheme": "分组方案",
    "The codes are of the clinical version (国临版)": "编码为国临版",
    "Group": "分组",
    "Clear": "清空",
    "Copy as text": "复制为文本",
    "Copy the link": "复制链接",
    "The link holds codes, sex and age behind its #, which no server sees; "
    "no name, number, date or cost.": (
        "链接只在#之后包含编码、性别和年龄，不会发送给任何服务器；不含姓名、号码、日期和费用。"
    ),
    "Give the codes of a case, then group: each scheme shows its group with the evidence.": (
        "填写病例编码后点击“分组”：每个方案显示入组结果及其依据。"
    ),
    "Payment by a policy": "按付费政策测算",
    "Policy": "付费政策",
    "Value of a point (yuan)": "点值（元）",
    "Total cost (yuan)": "住院总费用（元）",
    "Paid by the patient (yuan)": "个人负担（元）",
    "Days of stay": "住院天数",
    "Day of discharge": "出院日期",
    "Hospital": "医疗机构",
    "Its level": "级别",
    "Pool": "统筹基金",
    "Estimate the payment": "测算",
    "does not count": "无效",
    "holds": "成立",
    "does not hold": "不成立",
    "Parts": "分页",
    "Back": "上一页",
    "Next": "下一页",
    "Part {part} of {parts}": "第{part}页，共{parts}页",
    "no group": "未入组",
    "What if it were coded otherwise": "换一种编码会怎样",
    "Otherwise": "变化",
    "Code": "编码",
    "Complications": "合并症并发症",
    "Decided by": "决定性规则",
    "Take over": "采用",
    "scheme": "方案",
    "another group": "病组不同",
    "Checks of the front page": "病案首页校验",
    "No check finds anything.": "校验未发现问题。",
    "{run} checks were run; {rest} ask for what was not given.": (
        "已执行{run}项校验；另有{rest}项因缺少所需项目未执行。"
    ),
    "This policy is fictitious: its numbers are no region's.": (
        "此政策为虚构示例，数值不属于任何统筹地区。"
    ),
    "points": "点数",
    "yuan": "元",
    "Every factor": "各项因子",
    "By hand": "手工核算",
    "Compare": "比较",
    "with": "与",
    "Name": "名称",
    "Title": "标题",
    "Region": "地区",
    "Year": "年度",
    "Base": "基础版本",
    "In force from": "施行日期",
    "Sheets": "工作表",
    "Sheet": "工作表",
    "Search in this sheet": "在本表中查找",
    "Search": "查找",
    "{number} rows": "共{number}行",
    "added": "新增",
    "removed": "删除",
    "changed": "变更",
    "No difference.": "没有差别。",
    "A policy that the server knows": "服务器上的政策",
    "or a file (.toml)": "或政策文件（.toml）",
    "or its text": "或政策文本",
    "Check and explain": "校验并解读",
    "The policy can be used.": "该政策可以使用。",
    "The policy cannot be used yet: {wrong} faults, {missing} parameters to fill in.": (
        "该政策尚不能使用：{wrong}处错误，{missing}个参数待填写。"
    ),
    "Faults": "错误",
    "To fill in": "待填写",
}

WORDS: Mapping[str, str] = MappingProxyType(
    _CHINESE | settlement.CHINESE | dashboard.CHINESE | batch.CHINESE | in_house.CHINESE
)
"""English text → Chinese text."""

TERMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "as coded": ("as coded", "现有编码"),
        "principal_diagnosis": ("as the principal diagnosis", "改作主要诊断"),
        "principal_procedure": ("as the principal procedure", "改作主要手术"),
        "without_diagnosis": ("without the diagnosis", "去掉该诊断"),
        "without_principal_procedure": ("without the principal procedure", "去掉主要手术"),
        "without_procedure": ("without the procedure", "去掉该手术"),
        "with_diagnosis": ("with the diagnosis", "增加该诊断"),
        "with_procedure": ("with the procedure", "增加该手术"),
        "grouped": ("grouped", "已入组"),
        "ambiguous": ("ambiguous", "歧义"),
        "ungrouped": ("ungrouped", "未入组"),
        "invalid": ("invalid", "无效病例"),
        "none": ("none", "无"),
        "error": ("error", "错误"),
        "warning": ("warning", "提示"),
        "case_class": ("class of the case", "病例分类"),
        "base_points": ("base points", "基准点数"),
        "coefficient": ("hospital's coefficient", "医疗机构系数"),
        "multiple": ("multiple of the mean cost", "费用倍率"),
        "added_points": ("added points", "追加点数"),
        "outside": ("outside the points", "按项目付费"),
        "special_review": ("special review", "特病单议"),
        "fixed_price": ("fixed price", "定额"),
        "bed_day": ("bed-days", "床日"),
        "no_base_points": ("no base points", "无基准点数"),
        "unstable": ("unstable group", "非稳定病组"),
        "high_cost": ("high cost", "高倍率"),
        "low_cost": ("low cost", "低倍率"),
        "normal": ("normal", "正常倍率"),
        "sheet mdc": ("MDC", "MDC"),
        "sheet adrg": ("ADRG", "ADRG"),
        "sheet drg": ("DRG", "DRG"),
        "sheet sets": ("Sets of codes", "集合"),
        "sheet cc": ("Complications", "CC表"),
        "sheet exclusions": ("Exclusion tables", "排除表"),
        "column code": ("Code", "编码"),
        "column name": ("Name", "名称"),
        "column rule": ("Rule", "规则"),
        "column mdc": ("MDC", "MDC"),
        "column adrg": ("ADRG", "ADRG"),
        "column sort": ("Order", "顺序"),
        "column set_id": ("Set", "集合"),
        "column exclusion": ("Exclusion table", "排除表"),
        "column type": ("Type", "类型"),
        "column code_name": ("Name of the code", "编码名称"),
        **batch.TERMS,
        **in_house.TERMS,
    }
)
"""What data call it → English and Chinese."""


def speaker(lang: Language) -> Callable[..., str]:
    """What says a text in a language.

    Parameters
    ----------
    lang : {"zh", "en"}

    Returns
    -------
    callable
        From the English text, or what data call it, and values for the names in braces, to the text
        in the language. A text that the catalogue lacks is an error, so that no page is half
        translated.

    Examples
    --------
    >>> speaker("zh")("Sign in"), speaker("en")("Sign in")
    ('登录', 'Sign in')
    """

    def say(text: str, **values: object) -> str:
        english, chinese = TERMS[text] if text in TERMS else (text, WORDS[text])
        shown = chinese if lang == "zh" else english
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
