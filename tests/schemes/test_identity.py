"""Tables of one national scheme are not taken for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from drgcore.errors import SchemeError
from drgcore.schemes import SourceTables, compile_scheme, load_scheme
from drgcore.schemes.identity import refuse_other, shares_of_national

NATIONAL = ("chs-drg-1.0r", "chs-drg-1.1", "chs-drg-2.0", "chs-drg-3.0")


@pytest.mark.parametrize("name", NATIONAL)
def test_a_national_scheme_is_nearest_to_itself(name: str) -> None:
    shares = shares_of_national(load_scheme(name).tables)
    assert sorted(shares) == sorted(NATIONAL)
    assert shares[name] == 1
    assert max(share for other, share in shares.items() if other != name) < 1


@pytest.mark.parametrize(("real", "said"), [("chs-drg-2.0", "chs-drg-3.0"), NATIONAL[1:3]])
def test_another_scheme_under_its_name_is_refused(real: str, said: str, tmp_path: Path) -> None:
    source = SourceTables("w.xlsx", load_scheme(real).tables, {})
    with pytest.raises(SchemeError, match=f"not the tables of {said}: 100% .* those of {real}"):
        compile_scheme(source, tmp_path, name=said)
    assert not list(tmp_path.iterdir())
    assert refuse_other(real, None, source.tables) == ()
    assert refuse_other("my-city", None, source.tables) == ()


def test_a_base_that_is_further_than_another_is_told() -> None:
    tables = load_scheme("yancheng-2023").tables
    assert refuse_other("yancheng", "chs-drg-1.1", tables) == ()
    (finding,) = refuse_other("yancheng", "chs-drg-3.0", tables)
    assert finding.code == "other-base"
    assert "is that the right base?" in finding.message
