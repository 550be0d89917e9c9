"""Write the tables of parameters and the presets in docs/policy.md anew, from models and files.

python docs/policy_tables.py
"""

from __future__ import annotations

import re
from pathlib import Path

from drgcore.points.catalogue import preset_page
from drgcore.points.reference import section_tables

PAGE = Path(__file__).with_name("policy.md")
TABLES = re.compile(r"(<!-- tables of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
PRESETS = re.compile(r"(<!-- presets -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """The page with every table as the models have it, and every preset as its file has it."""
    text = PRESETS.sub(lambda m: f"{m[1]}\n{preset_page()}\n\n{m[2]}", text)
    return TABLES.sub(lambda m: f"{m[1]}\n{section_tables(m[2])}\n\n{m[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
