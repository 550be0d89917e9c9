"""Make the font of the reports' figures: the shipped subset of Noto Sans CJK SC.

    python data/build_font.py [NotoSansCJK-Regular.ttc]

The font is that of Debian's package fonts-noto-cjk. Kept are ASCII, Latin-1, the punctuation, Greek
and symbols of GB 2312 and its 6,763 characters, and every character that the names of the shipped
schemes and dictionaries have. Needs fonttools (in the extra `dev`); running a report does not.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

import drgcore
from drgcore.schemes.store import shipped_names

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
OUT = Path(__file__).parent / "fonts" / "drgcore-sans-sc.otf"
FAMILY = "Drgcore Sans SC"
# The faces of the collection: JP, KR, SC, TC, HK and their half-width companions.
_SC = 2


def characters() -> set[int]:
    """The code points that are kept."""
    kept = {*range(0x20, 0x7F), *range(0xA0, 0x100)}
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                kept.add(ord(bytes((high, low)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    # Arrows, dashes, minus and the per mille that figures use.
    kept |= set(map(ord, "−–—…·×÷±≤≥→←↑↓■●▲◆○△◇‰〓￥¥"))
    for name in shipped_names():
        scheme = drgcore.load_scheme(name)
        for group in (*scheme.mdcs, *scheme.adrgs, *scheme.drgs):
            kept |= set(map(ord, group.name))
    return kept


def main(source: Path) -> None:
    """Write the subset under a name of its own, so that it hides no installed font."""
    font = TTFont(source, fontNumber=_SC, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True)
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    options.desubroutinize = False
    made = subset.Subsetter(options)
    made.populate(unicodes=sorted(characters()))
    made.subset(font)
    for record in font["name"].names:
        new = {1: FAMILY, 4: FAMILY, 6: "DrgcoreSansSC-Regular"}.get(record.nameID)
        if new:
            record.string = new
    cff = font["CFF "].cff
    cff.fontNames[0] = "DrgcoreSansSC-Regular"
    cff[0].FullName = cff[0].FamilyName = FAMILY
    OUT.parent.mkdir(exist_ok=True)
    font.save(OUT)
    print(f"{OUT}: {len(font.getBestCmap()):,} characters, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
