"""A compiled scheme: what the kernel reads, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drgcore.cases.batch import CaseArrays
from drgcore.cases.codes import CodeIndex
from drgcore.schemes import Scheme

DEPARTMENT = "CYKB"
"""The variable of the rule language that is asked of departments."""


class KernelTables(NamedTuple):
    """What the kernel reads: two flat arrays and where each table starts in them.

    `layout` is a record of these fields. In `words`, bits are counted from the lowest of a row's
    first word.

    - ``principal_row``, ``procedure_row`` (one a code id, in `ints`): start in `words` of the row
      of the code's class, `mask_words` words of ADRG rules that the class leaves possible, then
      the sets that hold the code
    - ``other_diagnosis_row``, ``other_procedure_row``: start of the sets that hold the code
    - ``exclusion_row``: start of the exclusion tables that hold the principal diagnosis
    - ``complication``: 0, or type (1 CC, 2 MCC) + 4 × (exclusion table + 1)
    - ``cuts``, ``cut_start``: bounds of the intervals of the four numbers, one after the other
    - ``variable_masks`` (in `words`), ``mask_start``: ADRG rules possible in each interval, that of
      a missing number first
    - ``compare_truth``: comparisons, then what is asked of departments × `intervals`
    - ``counts``: length() atoms × 6: the set's bit in each field or -1, operator, number
    - ``code``: instructions × 5 (`lowering.Program`)
    - ``adrg_program``, ``drg_program``, ``diagnosis_program``: first instruction, ACCEPT or REJECT;
      the last asks whether the rule of any MDC holds that asks for a diagnosis
    - ``adrg_first_drg``, ``adrg_status``
    """

    layout: np.record
    ints: NDArray[np.int32]
    words: NDArray[np.uint64]


class Compiled(NamedTuple):
    """What of a scheme's tables takes time to make, and is made when a case is first grouped."""

    kernel: KernelTables
    classes: Mapping[str, NDArray[np.int32]]
    complication: NDArray[np.int32]
    cuts: Mapping[str, NDArray[np.int64] | NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class GrouperTables:
    """A compiled scheme: the kernel's arrays, the code ids and the groups' codes in order.

    `classes` holds, by field of the rule language (and for ``"exclusion"``), the class of each code
    id: codes of one class cannot be told apart there. `complication` is 0, or the row of the CC
    sheet as the kernel reads it. `cuts` are the bounds of each number's intervals. `departments`
    knows only those that some rule asks for.

    Only reading codes, as an explanation does, needs none of the kernel's arrays: they are made
    with their first use.
    """

    scheme: Scheme
    diagnoses: CodeIndex
    procedures: CodeIndex
    departments: CodeIndex
    mdc_codes: tuple[str, ...]
    adrg_codes: tuple[str, ...]
    drg_codes: tuple[str, ...]
    adrg_mdc: NDArray[np.int16]  # (ADRG,)
    compiler: Callable[[], Compiled]
    lock: Lock = field(default_factory=Lock)

    @cached_property
    def compiled(self) -> Compiled:
        """The kernel's arrays and what stands beside them, made once by whoever comes first."""
        with self.lock:
            made: Compiled | None = self.__dict__.get("compiled")
            return self.compiler() if made is None else made

    @property
    def kernel(self) -> KernelTables:
        """What the kernel reads."""
        return self.compiled.kernel

    @property
    def classes(self) -> Mapping[str, NDArray[np.int32]]:
        """By field the class of each code id."""
        return self.compiled.classes

    @property
    def complication(self) -> NDArray[np.int32]:
        """The row of the CC sheet of each diagnosis, as the kernel reads it."""
        return self.compiled.complication

    @property
    def cuts(self) -> Mapping[str, NDArray[np.int64] | NDArray[np.float64]]:
        """The bounds of each number's intervals."""
        return self.compiled.cuts

    def inputs(self, cases: CaseArrays) -> tuple[NDArray[np.generic], ...]:
        """The arrays of some cases as the kernel takes them.

        The last, one row a case, holds for each local variable of the scheme the interval of the
        number (0 where it is missing or unreadable), or the class of the department.
        """
        local = self.scheme.local_columns
        classes = np.empty((len(cases), len(local)), dtype=np.int32)
        for place, (name, column) in enumerate(local.items()):
            values = cases.local[column]
            if name == DEPARTMENT:
                classes[:, place] = self.classes[name][values]
            else:
                interval = np.searchsorted(self.cuts[name], values, side="right") + 1
                classes[:, place] = np.where(values < 0, 0, interval)
        return (*cases.arrays(), classes)
