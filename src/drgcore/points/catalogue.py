"""The presets that ship with drgcore: region, year, and how much each states and asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drgcore.language import _
from drgcore.points.check import check_policy
from drgcore.points.policy_file import PRESETS, find_policy, read_toml
from drgcore.points.sentences import unfinished_sentences
from drgcore.points.sources import sources_of, stated
from drgcore.points.wording import told


@dataclass(frozen=True)
class PresetSummary:
    """A preset in a line.

    Parameters
    ----------
    name, title, region : str
        Its name, its title, and the region whose rules it holds.
    year : int or None
        Year of the rules, where it is known.
    stated : int
        Parameters that a source gives.
    sentences : int
        What its sources state beside them, for a person to read.
    asked : int
        Parameters that are not filled in.
    """

    name: str
    title: str
    region: str
    year: int | None
    stated: int
    sentences: int
    asked: int


def list_presets(names: Sequence[str] = PRESETS) -> list[PresetSummary]:
    """List presets with how much each states and how much it asks for.

    Parameters
    ----------
    names : sequence of str, default `PRESETS`
        Presets, or files.

    Returns
    -------
    list of PresetSummary
        In the order given.

    Examples
    --------
    >>> jinhua, = list_presets(["jinhua-2017"])
    >>> jinhua.region, jinhua.year, jinhua.stated > 10, jinhua.asked > 20
    ('Jinhua, Zhejiang (金华)', 2017, True, True)
    """
    found = []
    for name in names:
        report = check_policy(name)
        data = read_toml(report.path)
        found.append(
            PresetSummary(
                name,
                told(str(data.get("title", ""))),
                told(str(data.get("region", ""))),
                data.get("year"),
                len(stated(data)),
                sum(len(source.states) for source in sources_of(data)),
                sum(problem.missing for problem in report.problems),
            )
        )
    return found


def preset_page(names: Sequence[str] = PRESETS) -> str:
    """Write what presets state, by source, and what they do not, in Markdown.

    Parameters
    ----------
    names : sequence of str, default `PRESETS`
        Presets that are not complete.

    Returns
    -------
    str
        A table of all, and a section for each.

    Examples
    --------
    >>> print(preset_page(["qingyang-2025"]).splitlines()[2])
    | `qingyang-2025` | Qingyang, Gansu (庆阳) | 2025 | 3 | 1 | 30 |
    """
    lines = [
        _("| preset | region | year | stated | in words | to fill in |"),
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    for preset in list_presets(names):
        numbers = f"{preset.stated} | {preset.sentences} | {preset.asked}"
        lines.append(f"| `{preset.name}` | {preset.region} | {preset.year or ''} | {numbers} |")
    for name in names:
        data = read_toml(find_policy(name))
        if data.get("fictitious") or not data.get("sources"):
            continue
        lines += ["", f"### `{name}`: {told(data['title'])}"]
        for heading, sentences in unfinished_sentences(data, ())[:-1]:
            lines += ["", f"{heading}:", "", *(f"- {text}" for text in sentences)]
        lines += ["", _("Not stated: {listed}.", listed=_("; ").join(map(told, data["fill_in"])))]
    return "\n".join(lines)
