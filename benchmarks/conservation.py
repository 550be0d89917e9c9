"""Every fen of random policies' budgets in exactly one place: a long run.

    python benchmarks/conservation.py [regions] [first seed]

Each region is random: pools with a budget or a given value, months by budget, given value or
claims, amendments within the year, advances, sharing with the fund, quality money, bands of the
whole amount and marginal ones, money on top of points from any account, consortia, sanctions. Its
months and its year are settled, the places of every fen are added up from the statement again, and
the plain settlement of tests/reference is run beside. Goal: 10**5 regions without a fen missing.
Run so far: the 1,800 regions from seed 1,000,000 on. No fen was missing, and none differed from the
plain settlement.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from drgcore.errors import BudgetError
from tests.budget.regions import random_region, with_more_rules
from tests.budget.test_more_rules import check_places
from tests.budget.test_plain import compare


def main(count: int, first: int) -> None:
    begun, refused = time.perf_counter(), 0
    for seed in range(first, first + count):
        try:
            if not check_places(seed):
                refused += 1
                continue
            compare(with_more_rules(random_region(seed), seed))
        except BudgetError as error:
            if "exceed the budget" not in str(error) and "less than floors" not in str(error):
                print(f"seed {seed}: {error}")
                raise
            refused += 1
        except AssertionError:
            print(f"seed {seed}: a fen is missing, or the plain settlement has another amount")
            raise
    seconds = time.perf_counter() - begun
    print(
        f"{count:,} regions from seed {first}: every fen is in one place, and is where the plain "
        f"settlement has it; {refused:,} asked for more than a month's budget and were refused; "
        f"{seconds / max(count, 1):.3f} s a region"
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*[*numbers, *(100_000, 0)[len(numbers) :]])
