"""Local subdivision (本地细分): a region's own DRGs within the national ADRGs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from drgcore.cases import CaseMapping
from drgcore.errors import CaseSchemaError, DrgcoreError
from drgcore.schemes import Scheme, load_dictionary
from drgcore.schemes.model import GroupKind
from drgcore.schemes.rules import Compare, Member
from drgcore.weights.cells import CellTable, make_cells
from drgcore.weights.coded import CodedCases, code_cases
from drgcore.weights.conditions import Condition, Kind, SplitCandidates, listed_condition
from drgcore.weights.contrast import threshold
from drgcore.weights.listed import LEAST_CASES, Occurrences, cases_with, cost_by_code, occurrences
from drgcore.weights.local_scheme import LocalGroup, local_tables, name_groups, parts_of
from drgcore.weights.partition import Part, SplitLimits, Step, search
from drgcore.weights.segments import sort_by_group
from drgcore.weights.subdivision import Subdivision, report
from drgcore.weights.trimming import Trimming

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
