"""Every message is there in Chinese and in English, and the language is that which is asked for."""

from __future__ import annotations

import ast
import builtins
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

import drgcore
from drgcore.cli.tables import plain_text
from drgcore.forecast import spring_festival
from drgcore.language import LOCALE, N_, _, get_language, heading, set_language, use_language
from drgcore.schemes import parse_rule
from drgcore.schemes.local import local_findings
from drgcore.subdivision import SplitCandidates
from drgcore.workbooks import write_tables
from tests.cli.conftest import plain, run, run_alone

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "drgcore"
build_messages = SimpleNamespace(**runpy.run_path(str(ROOT / "data" / "build_messages.py")))


# --- The catalogue ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    """The catalogue that people edit."""
    return build_messages.read()


def texts(catalogue: Catalog) -> dict[tuple[str | None, str], str]:
    """Context and message → translation."""
    return {(m.context, str(m.id)): str(m.string) for m in catalogue if m.id}


def braces(text: str) -> list[str]:
    """What stands in braces, with its format."""
    return sorted(re.findall(r"\{[^{}]*\}", text))


def test_the_catalogue_has_the_messages_of_the_code_and_no_other(catalogue: Catalog) -> None:
    assert set(texts(catalogue)) == set(texts(build_messages.extracted())), "make messages"
    assert not catalogue.obsolete


def test_messages_are_found_wherever_they_stand() -> None:
    source = 'x = N_("a")\ny = _("b {c}", c=f(_("d") if x else g(_("e" "f"))))\n_(x)\nz("g")'
    assert sorted(build_messages.messages_of(source)) == ["a", "b {c}", "d", "ef"]


def test_every_message_is_translated(catalogue: Catalog) -> None:
    assert [message for message in catalogue if message.id and message.fuzzy] == []
    assert [key for key, text in texts(catalogue).items() if not text.strip()] == []


def test_a_translation_has_the_values_of_its_message(catalogue: Catalog) -> None:
    wrong = {m: text for (_, m), text in texts(catalogue).items() if braces(m) != braces(text)}
    assert wrong == {}


def said_twice(text: str) -> list[str]:
    """The sentences that a text has more than once."""
    sentences = [part.strip() for part in re.split("[。\n]", text) if len(part.strip()) > 8]
    return sorted({part for part in sentences if sentences.count(part) > 1})


def test_no_translation_says_a_sentence_twice(catalogue: Catalog) -> None:
    assert {m: found for (_, m), t in texts(catalogue).items() if (found := said_twice(t))} == {}
    assert said_twice("中断后再次运行同一命令。中断后再次运行同一命令。") == [
        "中断后再次运行同一命令"
    ]


def test_the_compiled_catalogue_is_that_of_the_text(catalogue: Catalog) -> None:
    with build_messages.PO.with_suffix(".mo").open("rb") as file:
        assert texts(read_mo(file)) == texts(catalogue), "make messages"


def test_the_text_is_as_it_is_made(catalogue: Catalog) -> None:
    made = build_messages.as_po(build_messages.updated(catalogue, build_messages.extracted()))
    assert made == build_messages.PO.read_bytes(), "make messages"


def test_a_new_message_comes_in_and_an_old_one_goes_out() -> None:
    old, new = Catalog(locale="zh"), Catalog()
    old.add("kept {n}", "留 {n}")
    old.add("gone", "去")
    new.add("kept {n}")
    new.add("new")
    assert texts(build_messages.updated(old, new)) == {
        (None, "kept {n}"): "留 {n}",
        (None, "new"): "",
    }


def glossary() -> dict[str, list[str]]:
    """English term → the Chinese ones, by docs/glossary.md."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): row[1].strip().split("、") for row in rows[2:]}


def other_terms(message: str, translation: str, terms: dict[str, list[str]]) -> list[str]:
    """The terms of a message that its translation calls otherwise."""
    words = re.sub(r"\{[^}]*\}|`[^`]*`", "", message)
    return [
        term
        for term, chinese in terms.items()
        if re.search(rf"(?<![\w-]){term}(?:s|es)?(?![\w-])", words, re.IGNORECASE)
        and not any(one.lower() in translation.lower() for one in (*chinese, term))
    ]


def test_messages_keep_to_the_glossary(catalogue: Catalog) -> None:
    terms = glossary()
    assert terms["point value"] == ["点值"]
    assert len(terms) > 30
    every = {m: other_terms(m, t, terms) for (c, m), t in texts(catalogue).items() if c is None}
    assert {message: found for message, found in every.items() if found} == {}
    assert other_terms("the point value of {pool}", "{pool} 的价格", terms) == ["point value"]


# --- The code ---------------------------------------------------------------------------------


def called(node: ast.AST) -> str:
    """The last part of the name of what is called."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def is_words(node: ast.expr) -> bool:
    """Whether it is a text for people that stands there as it is: with a blank and a letter."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(re.search(r"[A-Za-z] | [A-Za-z]", node.value))
    if isinstance(node, ast.JoinedStr):
        return any(re.search(r"[A-Za-z]", str(part.value)) for part in node.values
                   if isinstance(part, ast.Constant))  # fmt: skip
    if isinstance(node, ast.BinOp):
        return is_words(node.left) or is_words(node.right)
    if isinstance(node, ast.IfExp):
        return is_words(node.body) or is_words(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(map(is_words, node.values))
    return False


# Lists of what people are told: notes of a reader, warnings of a check, what a command did.
TOLD = {"notes", "warnings", "said", "left", "filled", "_missing", "_wrong"}


# What is asked for, refused or added up, and why: the words come after the first argument.
REASONED = {"ask", "sums_to_one", "_refuse"}


def told(node: ast.AST) -> list[ast.expr]:
    """What is added to a list of what people are told."""
    if called(node) not in ("append", "insert") or not isinstance(node, ast.Call):
        return []
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return node.args if getattr(owner, "id", getattr(owner, "attr", "")) in TOLD else []


# Columns of tables that say in words what another one says by a code.
IN_WORDS = {"meaning", "why", "note", "definition", "not_run", "parameter", "explanation"}


def is_prose(node: ast.AST | None) -> bool:
    """Whether it is a text of several words that stands there as it is."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        # Alternatives of names of columns are no prose.
        and bool(re.search(r"[a-z]{3,} (?!or \w+_)[A-Za-z]{2,}", part.value))
        for part in parts
    )


def in_tables(node: ast.AST) -> list[ast.expr]:
    """Texts of a table of words of a module's own, and those that stand in a column of words."""
    if isinstance(node, ast.Dict):
        names = [getattr(key, "value", None) for key in node.keys]
        # What describes a call of the API is taken from its document.
        return [
            value
            for name, value in zip(names, node.values, strict=True)
            if (is_prose(value) and name != "description") or (name in IN_WORDS and is_words(value))
        ]
    if isinstance(node, ast.Call):
        return [k.value for k in node.keywords if k.arg in IN_WORDS and is_words(k.value)]
    if isinstance(node, ast.Assign):
        of = [t.slice for t in node.targets if isinstance(t, ast.Subscript)]
        named = [key for key in of if isinstance(key, ast.Constant) and key.value in IN_WORDS]
        return [node.value] if named and is_words(node.value) else []
    return []


def untranslated(source: str) -> list[int]:
    """Lines of errors, warnings, notes and words in tables that are not looked up."""
    lines = []
    # What a validator of pydantic raises is read by people; elsewhere it is a slip of the code.
    builtin = set() if "_validator" in source else set(vars(builtins))
    for node in ast.walk(ast.parse(source)):
        lines += [word.lineno for word in told(node) if is_words(word)]
        if called(node) in REASONED and isinstance(node, ast.Call):
            lines += [word.lineno for word in node.args[1:] if is_words(word)]
        lines += [word.lineno for word in in_tables(node)]
        if called(node) not in builtin and re.search(r"(Error|warn|Exception)$", called(node)):
            assert isinstance(node, ast.Call)
            words = [k.value for k in node.keywords if k.arg in ("message", "where", "hint")]
            # Of an error of HTTP the words come after the status.
            first = node.args[:2] if called(node) == "HTTPException" else node.args[:1]
            lines += [node.lineno for word in (*first, *words) if is_words(word)]
    return lines


def misused(source: str) -> list[int]:
    """Lines of messages that no catalogue finds, or whose values are not those of the braces."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if called(node) == "_" and isinstance(node, ast.Call):
            message, given = node.args[0], {k.arg for k in node.keywords}
            if isinstance(message, ast.Constant):
                named = set(re.findall(r"(?<!\{)\{(\w+)(?=[!:}])", message.value))
                if named != given:
                    lines.append(node.lineno)
            elif isinstance(message, ast.JoinedStr | ast.BinOp):
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('SchemeError("it is wrong")', True),
        ('SchemeError(f"{x} is wrong")', True),
        ('SchemeError(_("it is wrong"), hint="Do it.")', True),
        ('SchemeError(_("a b") if x else "it is wrong")', True),
        ('warnings.warn(f"{n} cases", CaseWarning)', True),
        ('HTTPException(404, "there is none")', True),
        ('self.notes.insert(0, f"sheet {x} is read")', True),
        ('said.append(_("{x} is read", x=x))', False),
        ('ask("cap", f"the rule is {rule}")', True),
        ('ask(f"pieces.{n}.up_to", _("piece {n} is not the last", n=n))', False),
        ('names.append("x and y")', False),
        ('SchemeError(_("it is wrong"), where=str(path), hint=_(HINT))', False),
        ('SchemeError(_("{x} is wrong", x=x), where="history")', False),
        ('SchemeError(words, where=f"{path}")', False),
        ('KINDS = {"group": "another group (病组不同)"}', True),
        ('KINDS: Mapping[str, str] = MappingProxyType({"points": "points earned"})', True),
        ('KINDS = Texts({"group": N_("another group")})', False),
        ('row = {"adrg": code, "why": "too few"}', True),
        ('row = {"adrg": code, "why": few if n else f"{n} cases"}', True),
        ('row = {"adrg": code, "why": _("too few cases"), "action": "kept"}', False),
        ('table.assign(meaning=f"{kind} differs")', True),
        ("table.assign(meaning=[texts[kind] for kind in kinds])", False),
        ('row["note"] = "seen twice"', True),
        ('row["note"] = _("seen twice")', False),
    ],
)
def test_words_that_are_not_looked_up_are_found(line: str, wrong: bool) -> None:
    assert bool(untranslated(line)) == wrong


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('_(f"{x} is wrong")', True),
        ('_("{x} is wrong", y=x)', True),
        ('_("{x} is wrong")', True),
        ('_("{x:,} of {y} are wrong", x=x, y=1)', False),
        ("_(HINT)", False),
    ],
)
def test_a_message_without_its_values_is_found(line: str, wrong: bool) -> None:
    assert bool(misused(line)) == wrong


def modules(rooms: set[str]) -> list[Path]:
    """The modules of rooms, and those that belong to none."""
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in rooms
    ]


ROOMS = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}


def test_words_are_looked_up() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in modules(ROOMS)
        for line in untranslated(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_messages_have_their_values() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in modules(ROOMS)
        for line in misused(path.read_text(encoding="utf-8"))
    }
    assert found == set()


# --- The language -----------------------------------------------------------------------------


def missing_scheme() -> str:
    """An error in the language that is spoken."""
    return _("error: {message}", message="x")


def test_the_language_is_set_and_unset() -> None:
    assert (get_language(), missing_scheme()) == ("en", "error: x")
    drgcore.set_language("zh")
    assert (get_language(), missing_scheme()) == ("zh", "错误：x")
    drgcore.set_language("en")
    assert get_language() == "en"
    with pytest.raises(drgcore.DrgcoreError, match="no language 'fr'"):
        set_language("fr")  # type: ignore[arg-type]
    assert get_language() == "en"


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.GB18030"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "DRGCORE_LANG": "en"}, "en"),
        ({"LANG": "C", "DRGCORE_LANG": "ZH"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "DRGCORE_LANG": ""}, "en"),
    ],
)
def test_the_environment_is_asked(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DRGCORE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert get_language() == language


def test_each_thread_speaks_its_own_language_within_its_block() -> None:
    both = threading.Barrier(2)
    said: dict[str, list[str]] = {"zh": [], "en": []}

    def request(language: drgcore.language.Language) -> None:
        with use_language(language):
            for _again in range(20):
                both.wait(timeout=600)
                said[language].append(missing_scheme())

    threads = [threading.Thread(target=request, args=(language,)) for language in ("zh", "en")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {"zh": ["错误：x"] * 20, "en": ["error: x"] * 20}
    assert get_language() == "en"


def test_a_copied_context_speaks_the_language_of_its_block() -> None:
    with use_language("zh"):
        context = copy_context()
        with use_language(None):
            assert get_language() == "en"
    assert context.run(get_language) == "zh"


def test_a_thread_speaks_the_language_of_the_process() -> None:
    set_language("zh")
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(get_language()))
    thread.start()
    thread.join()
    assert said == ["zh"]


def test_braces_without_values_are_braces() -> None:
    assert _("take {these} as they are") == "take {these} as they are"
    assert N_("a text") == "a text"


def test_a_heading_without_a_translation_is_its_name() -> None:
    with use_language("zh"):
        assert heading("no_such_column") == "no such column"


def test_nothing_slow_is_imported() -> None:
    code = "import sys, drgcore.language; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert {"babel", "rich", "numpy", "locale"}.isdisjoint(done.stdout.split())


def test_the_catalogue_lies_where_it_is_looked_for() -> None:
    assert (LOCALE / "zh" / "LC_MESSAGES" / "drgcore.mo").is_file()


# --- The command ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--lang", "zh"), ("--lang=zh",)])
def test_help_in_chinese(arguments: tuple[str, ...]) -> None:
    done = plain(run(*arguments, "group", "--help"))
    for words in ("用法：", "[选项]", "给文件中每个病例分组", "必填", "缺省", "显示本帮助并退出"):
        assert words in done
    assert not re.search(r"\b(Usage|Options|Show|default)\b", done)


def test_help_of_the_root_and_of_a_group_in_chinese() -> None:
    root = plain(run("--lang", "zh", "--help"))
    assert "给命令行上给出的一个病例分组" in root
    assert "退出码" in root
    group = plain(run("--lang", "zh", "scheme", "--help"))
    assert "同一批病例用两个方案分组" in group
    assert "检查方案；有错误时退出码为 1" in group


def test_help_in_english_after_help_in_chinese() -> None:
    run("--lang", "zh", "group", "--help")
    done = plain(run("--lang", "en", "group", "--help"))
    assert "Usage:" in done
    assert "Show this message and" in done
    assert not re.search(r"[\u4e00-\u9fff]{3}", done.replace("国临版", "").replace("医保版", ""))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("grup",), "没有命令 'grup'"),
        (("group", "--nonsense"), "没有选项：--nonsense"),
        (("group",), "缺少参数"),
        (("group", "a", "b", "--threads", "x"), "应为整数"),
    ],
)
def test_wrong_arguments_in_chinese(arguments: tuple[str, ...], words: str) -> None:
    done = run_alone("--lang", "zh", *arguments)
    assert done.code == 2
    assert words in plain(done.err)
    assert "错误" in done.err


def test_the_environment_gives_the_language_of_the_command() -> None:
    done = run_alone("group", "none.csv", "out.csv", env={"DRGCORE_LANG": "zh"})
    assert done.code == 2
    assert done.err.startswith("错误：")
    refused = run_alone("--version", env={"DRGCORE_LANG": "fr"})
    assert refused.code == 2
    assert "DRGCORE_LANG" in refused.err
    assert "'fr'" in refused.err


# --- Errors of the rooms ----------------------------------------------------------------------

CASES = pa.table({"case_id": ["1"], "drg": ["ES43"]})

ERRORS: dict[str, tuple[Callable[[], object], str]] = {
    "schemes": (lambda: drgcore.load_scheme("none"), "没有方案 'none'"),
    "weights": (lambda: drgcore.read_history(CASES), "病例没有 total_cost 列"),
    "forecast": (lambda: spring_festival(1900), "没有 1900 年的春节日期"),
    "subdivision": (lambda: SplitCandidates(ages=(-1.0,)), "应递增且不为负"),
    "synthetic": (lambda: drgcore.sample_cases(-1), "超出范围"),
    "cases": (lambda: drgcore.group("none.csv"), "没有这个文件"),
    "checks": (lambda: drgcore.check_cases(CASES, checks="none.toml"), "校验规则文件无法读取"),
    "points": (lambda: drgcore.Policy.from_data({"name": "mine"}), "个参数未填写"),
    "budget": (lambda: drgcore.Month(2027, 13), "2027 年没有 13 月"),
    "indicators": (lambda: drgcore.compute_indicators(CASES, by="x"), "x"),
    "grouper": (lambda: drgcore.group(CASES), "drg"),
    "files": (lambda: write_tables(Path("a.doc"), {}), "表不能写成 .doc"),
}


@pytest.mark.parametrize("room", sorted(ERRORS))
def test_an_error_of_a_room_is_in_the_language_that_is_spoken(room: str) -> None:
    call, words = ERRORS[room]
    with use_language("zh"), pytest.raises(drgcore.DrgcoreError) as chinese:
        call()
    assert words in str(chinese.value)
    with pytest.raises(drgcore.DrgcoreError) as english:
        call()
    assert not re.search(r"[\u4e00-\u9fff]", str(english.value))


def test_a_rule_that_cannot_be_read_keeps_its_caret_in_chinese() -> None:
    with use_language("zh"), pytest.raises(drgcore.RuleSyntaxError) as found:
        parse_rule("ZYZD in DI_A and (XB = 1")
    message, rule, caret = str(found.value).split("\n")
    assert message == "缺少 ')'，以闭合括号"
    assert rule.strip() == "ZYZD in DI_A and (XB = 1"
    assert caret.index("^") == len(rule)


def test_findings_about_a_scheme_in_chinese() -> None:
    rules = {"DRG BB11": parse_rule("ZYTS > 3")}
    with use_language("zh"):
        (finding,) = local_findings(rules, {}, False)
    assert finding.code == "local-variable"
    assert "病例须有 length_of_stay 列；由 DRG BB11 使用" in str(finding)


# --- Tables -----------------------------------------------------------------------------------


def test_tables_have_headings_of_the_language_and_files_the_names(tmp_path: Path) -> None:
    table = pd.DataFrame({"hospital": ["H01"], "total_cost": [1234.5]})
    with use_language("zh"):
        lines = plain_text(table, formatters={"total_cost": "{:,.2f}".format}).splitlines()
        write_tables(tmp_path / "a.csv", {"a": table})
    assert lines[0].split() == ["医院", "总费用"]
    assert lines[1].split() == ["H01", "1,234.50"]
    assert plain_text(table).split()[:2] == ["hospital", "total_cost"]
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "hospital,total_cost"


def test_the_list_of_schemes_has_chinese_headings() -> None:
    shown = plain(run("--lang", "zh", "scheme", "list"))
    assert shown.startswith("方案 统筹区 年度 基础方案 施行日期")
    assert "地方方案均为历史版本" in shown


def test_an_explanation_follows_the_language_of_the_command() -> None:
    one = ("group-one", "--pdx", "K80.101", "--sex", "1", "--age", "45")
    chinese = run("--lang", "zh", *one)
    assert chinese == run(*one, "--lang", "zh")
    assert chinese != run(*one)
