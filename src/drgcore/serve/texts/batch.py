"""The words of the pages of batches: English is the key."""

from __future__ import annotations

CHINESE: dict[str, str] = {
    "Batch": "批量任务",
    "Batches": "批量分组",
    "All batches": "全部任务",
    "Drop a file here, or choose one": "将文件拖到此处，或选择文件",
    "Cases as {kinds}: front pages, HQMS, settlement lists or your own export.": (
        "支持 {kinds}：病案首页、HQMS、结算清单或自有导出。"
    ),
    "Files stay on this machine: what you send is removed once the batch is over, its results "
    "at the end of the session, unless they are to be kept.": (
        "文件只保存在本机：上传的文件在任务结束后删除，结果在会话结束时删除，除非选择保留。"
    ),
    "Keep the file and its results until I remove them": "保留文件与结果，直到手动删除",
    "Send and look": "上传并查看",
    "Sending": "上传中",
    "File": "文件",
    "State": "状态",
    "Cases": "病例数",
    "Kept": "保留",
    "Results": "结果",
    "yes": "是",
    "no": "否",
    "Remove": "删除",
    "cases": "例",
    "step {step} of {steps}": "第{step}步，共{steps}步",
    "Progress": "进度",
    "No mapping can be proposed:": "无法自动识别列：",
    "Which column is what": "列的含义",
    "Field": "字段",
    "Column of the file": "文件中的列",
    "Samples": "样例",
    "Why": "依据",
    "The mapping as a file, to be corrected and kept": "映射文件（可修改、保存）",
    "Mapping (TOML)": "映射（TOML）",
    "Scheme": "分组方案",
    "Clinical codes, to be translated": "临床版编码，需转换",
    "Check the front pages": "校验首页",
    "Group": "开始分组",
    "First rows": "前几行",
    "Summary": "汇总",
    "Why cases are not grouped": "未入组原因",
    "Findings of the checks": "校验结果",
    "Finding": "问题",
    "The upload was removed; send the file again.": "上传的文件已删除，请重新上传。",
}
"""English text → Chinese text."""

TERMS: dict[str, tuple[str, str]] = {
    "state waiting": ("waits for its mapping", "待确认"),
    "state queued": ("queued", "排队中"),
    "state running": ("running", "进行中"),
    "state done": ("done", "已完成"),
    "state failed": ("failed", "失败"),
    "file grouped.xlsx": ("Groups, workbook (.xlsx)", "分组结果（.xlsx）"),
    "file grouped.parquet": ("Groups (.parquet)", "分组结果（.parquet）"),
    "file grouped.csv": ("Groups (.csv)", "分组结果（.csv）"),
    "file findings.xlsx": ("Findings, workbook (.xlsx)", "校验结果（.xlsx）"),
}
"""What data call it → English and Chinese."""
