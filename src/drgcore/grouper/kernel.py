"""The compiled loop: from code ids and numbers to group indices, one row after the other.

One function without objects, so that it runs without the interpreter's lock. A caller cuts the rows
into blocks and runs blocks on as many threads as it likes: every row is decided by itself, so the
result does not depend on the cut.

A scheme comes as two flat arrays, `ints` and `words` (64 bits each), and a record `t` of where each
table starts in them (`tables.KernelTables`). Three arguments instead of thirty arrays: that is what
keeps the first compilation short.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drgcore.compiling import loop

# Literals, because the compiled code cannot read an enum of another module; a test compares them.
GROUPED, AMBIGUOUS, UNGROUPED, INVALID = 0, 1, 2, 3
(
    NO_REASON,
    DIAGNOSIS_MISSING,
    DIAGNOSIS_UNKNOWN,
    SEX_MISSING,
    SEX_INVALID,
    AGE_MISSING,
    AGE_INVALID,
    AGE_DAYS_MISSING,
    AGE_DAYS_INVALID,
    WEIGHT_MISSING,
    WEIGHT_INVALID,
    NO_MDC,
    NO_ADRG,
    CATCH_ALL,
    NO_DRG,
    UNRELATED_PROCEDURE,
) = range(16)
# Bits of a case's flags; the first two are given out.
UNKNOWN_OTHER_DIAGNOSIS, UNKNOWN_PROCEDURE, _HAS_MCC, _HAS_CC = 1, 2, 4, 8

_ACCEPT = -1
_UNKNOWN_CODE = 1
_SEX, _AGE, _DAYS, _WEIGHT = 0, 1, 2, 3
_INVALID_NUMBER = -2
# The longest age in days of a patient who has not completed a year, in a leap year.
_INFANT_DAYS = 365
_ONE = np.uint64(1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_DE_BRUIJN_SHIFT = np.uint64(58)
_DE_BRUIJN_BIT = np.zeros(64, dtype=np.int64)
for _i in range(64):
    _DE_BRUIJN_BIT[(0x03F79D71B4CB0A89 << _i & (1 << 64) - 1) >> 58] = _i

_jit = loop(error_model="numpy")
_inline = loop(error_model="numpy", inline="always")


@_jit
def _test(words, row, bit):
    """Bit `bit` of the words from `row` on; false for no bit (-1)."""
    return bit >= 0 and (words[row + (bit >> 6)] >> np.uint64(bit & 63)) & _ONE != 0


@_inline
def _interval(t, ints, variable, value):
    """Interval of a number: 0 where it is missing or unreadable."""
    if value < 0:
        return 0
    interval = 1
    for i in range(ints[t.cut_start + variable], ints[t.cut_start + variable + 1]):
        if ints[t.cuts + i] <= value:
            interval += 1
    return interval


@_jit
def _compare(operator, left, right):
    if operator == 0:
        return left == right
    if operator == 1:
        return left >= right
    if operator == 2:
        return left > right
    if operator == 3:
        return left <= right
    return left < right


@_jit
def _count(t, ints, words, atom, principal, procedure, lists, first, end, seen):
    """Truth of a length() atom.

    `seen` keeps the different codes found, at most one more than the number compared with, because
    then the comparison is decided: a list of any length takes one pass. Procedures are kept apart
    from diagnoses by their sign.
    """
    number = ints[atom + 5]
    found = 0
    if _test(words, ints[t.principal_row + principal] + t.mask_words, ints[atom]):
        seen[found] = principal
        found += 1
    if _test(words, ints[t.procedure_row + procedure] + t.mask_words, ints[atom + 1]):
        seen[found] = -procedure
        found += 1
    for kind in range(2):
        rows = t.other_diagnosis_row if kind == 0 else t.other_procedure_row
        for at in range(first[kind], end[kind]):
            if found > number:
                break
            code = lists[kind][at]
            if _test(words, ints[rows + code], ints[atom + 2 + kind]):
                key = code if kind == 0 else -code
                new = True
                for j in range(found):
                    if seen[j] == key:
                        new = False
                if new:
                    seen[found] = key
                    found += 1
    return _compare(ints[atom + 4], found, number)


@_inline
def _run(
    t, ints, words, start, principal, procedure, lists, first, end, flags, interval, bits, seen
):
    """Run a program; whether it accepts.

    `bits` holds the sets in which the other diagnoses are, then those of the other procedures.
    """
    at = start
    while at >= 0:
        row = t.code + 5 * at
        op = ints[row]
        a = ints[row + 1]
        if op == 0:
            truth = _test(words, ints[t.principal_row + principal] + t.mask_words, a)
        elif op == 1:
            truth = _test(words, ints[t.procedure_row + procedure] + t.mask_words, a)
        elif op == 2:
            truth = _test(bits, 0, a)
        elif op == 3:
            truth = _test(bits, t.other_diagnosis_words, a)
        elif op == 4:
            truth = flags & _HAS_MCC != 0
        elif op == 5:
            truth = flags & _HAS_CC != 0
        elif op == 6:
            truth = ints[t.compare_truth + a * t.intervals + interval[ints[row + 2]]] != 0
        else:
            atom = t.counts + 6 * a
            truth = _count(t, ints, words, atom, principal, procedure, lists, first, end, seen)
        at = ints[row + 3] if truth else ints[row + 4]
    return at == _ACCEPT


@_inline
def _find(t, ints, words, principal, procedure, lists, first, end, flags, interval, bits, seen):
    """The first ADRG and the first of its DRG that hold.

    (adrg, -1) where no DRG of the ADRG holds; (-1, -1) where no ADRG holds, though an MDC fits the
    diagnosis; (-2, -1) where no MDC does. The three searches share one loop, because the compiler
    would otherwise copy the interpreter of programs three times and take as much longer.
    """
    by_diagnosis = ints[t.principal_row + principal]
    by_procedure = ints[t.procedure_row + procedure]
    by_sex = t.variable_masks + (ints[t.mask_start] + interval[0]) * t.mask_words
    by_age = t.variable_masks + (ints[t.mask_start + 1] + interval[1]) * t.mask_words
    by_days = t.variable_masks + (ints[t.mask_start + 2] + interval[2]) * t.mask_words
    by_weight = t.variable_masks + (ints[t.mask_start + 3] + interval[3]) * t.mask_words
    w = -1
    word = np.uint64(0)
    low = word
    rule = -1
    adrg = -1
    drg = -1
    while True:
        if adrg >= 0:
            if drg == ints[t.adrg_first_drg + adrg + 1]:
                return adrg, -1
            start = ints[t.drg_program + drg]
        else:
            while word == 0 and w < t.mask_words - 1:
                w += 1
                word = (
                    words[by_diagnosis + w]
                    & words[by_procedure + w]
                    & words[by_sex + w]
                    & words[by_age + w]
                    & words[by_days + w]
                    & words[by_weight + w]
                )
            if word != 0:
                low = word & (~word + _ONE)
                rule = w * 64 + _DE_BRUIJN_BIT[(low * _DE_BRUIJN) >> _DE_BRUIJN_SHIFT]
                start = ints[t.adrg_program + rule]
            else:
                start = t.diagnosis_program
        holds = _run(
            t,
            ints,
            words,
            start,
            principal,
            procedure,
            lists,
            first,
            end,
            flags,
            interval,
            bits,
            seen,
        )
        if adrg >= 0:
            if holds:
                return adrg, drg
            drg += 1
        elif word != 0:
            if holds:
                adrg = rule
                drg = ints[t.adrg_first_drg + adrg]
            else:
                word ^= low
        else:
            return (-1 if holds else -2), -1


@_inline
def _invalid(t, principal, sex, age, days):
    """Why a row cannot be grouped at all, before any rule is tried."""
    if principal <= _UNKNOWN_CODE:
        return DIAGNOSIS_UNKNOWN if principal == _UNKNOWN_CODE else DIAGNOSIS_MISSING
    if t.requires_sex and sex <= 0:
        return SEX_MISSING if sex == 0 else SEX_INVALID
    if t.requires_age and age < 0:
        return AGE_INVALID if age == _INVALID_NUMBER else AGE_MISSING
    if t.requires_days and age == 0 and (days < 0 or days > _INFANT_DAYS):
        return AGE_DAYS_MISSING if days == -1 else AGE_DAYS_INVALID
    return NO_REASON


@_inline
def _gather(t, ints, words, principal, procedure, lists, first, end, bits):
    """Collect the sets of the other codes into `bits`; flags of complications and unknown codes."""
    flags = 0
    bits[:] = 0
    excluded = ints[t.exclusion_row + principal]
    for j in range(first[0], end[0]):
        code = lists[0][j]
        if code <= _UNKNOWN_CODE:
            if code == _UNKNOWN_CODE:
                flags |= UNKNOWN_OTHER_DIAGNOSIS
            continue
        row = ints[t.other_diagnosis_row + code]
        for w in range(t.other_diagnosis_words):
            bits[w] |= words[row + w]
        listed = ints[t.complication + code]
        if listed != 0 and not _test(words, excluded, (listed >> 2) - 1):
            flags |= _HAS_MCC if listed & 3 == 2 else _HAS_CC
    for j in range(first[1], end[1]):
        code = lists[1][j]
        if code == _UNKNOWN_CODE:
            flags |= UNKNOWN_PROCEDURE
        row = ints[t.other_procedure_row + code]
        for w in range(t.other_procedure_words):
            bits[t.other_diagnosis_words + w] |= words[row + w]
    return flags


@_jit
def _group_rows(t, ints, words, cases, start, stop, out, bits, interval, seen):
    principals, d_start, diagnoses, procedures, p_start, others = cases[:6]
    sexes, ages, days, weights, local = cases[6:]
    out_adrg, out_drg, out_status, out_reason, out_severity, out_flags = out
    lists = (diagnoses, others)
    for i in range(start, stop):
        principal = principals[i]
        procedure = procedures[i]
        first = (d_start[i], p_start[i])
        end = (d_start[i + 1], p_start[i + 1])
        flags = _gather(t, ints, words, principal, procedure, lists, first, end, bits)
        out_flags[i] = flags & (UNKNOWN_OTHER_DIAGNOSIS | UNKNOWN_PROCEDURE)
        out_adrg[i] = -1
        out_drg[i] = -1
        out_severity[i] = -1
        reason = _invalid(t, principal, sexes[i], ages[i], days[i])
        if reason != NO_REASON:
            out_status[i] = INVALID
            out_reason[i] = reason
            continue
        interval[_SEX] = _interval(t, ints, _SEX, sexes[i])
        interval[_AGE] = _interval(t, ints, _AGE, ages[i])
        interval[_DAYS] = _interval(t, ints, _DAYS, days[i])
        interval[_WEIGHT] = _interval(t, ints, _WEIGHT, weights[i])
        for j in range(local.shape[1]):
            interval[4 + j] = local[i, j]
        # A newborn's weight is asked for only where the group hangs on it: with the weight missing,
        # every interval of weights must lead to the same group as none does, or to no group as none
        # does. Older patients have no such weight.
        trials = 1
        if weights[i] < 0 and ages[i] <= 0:
            trials += ints[t.cut_start + _WEIGHT + 1] - ints[t.cut_start + _WEIGHT] + 1
        adrg = -2
        drg = -1
        for trial in range(trials):
            if trial > 0:
                interval[_WEIGHT] = trial
            found, found_drg = _find(
                t,
                ints,
                words,
                principal,
                procedure,
                lists,
                first,
                end,
                flags,
                interval,
                bits,
                seen,
            )
            if trial == 0:
                adrg = found
                drg = found_drg
            elif (found >= 0 or adrg >= 0) and (found != adrg or found_drg != drg):
                reason = WEIGHT_INVALID if weights[i] == _INVALID_NUMBER else WEIGHT_MISSING
                break
        if reason != NO_REASON:
            out_status[i] = INVALID
            out_reason[i] = reason
            continue
        out_severity[i] = 2 if flags & _HAS_MCC else (1 if flags & _HAS_CC else 0)
        if adrg < 0:
            out_status[i] = UNGROUPED
            out_reason[i] = NO_ADRG if adrg == -1 else NO_MDC
            continue
        out_adrg[i] = adrg
        out_drg[i] = drg
        if drg < 0:
            out_status[i] = UNGROUPED
            out_reason[i] = NO_DRG
            continue
        status = ints[t.adrg_status + adrg]
        out_status[i] = status
        if status == AMBIGUOUS:
            out_reason[i] = UNRELATED_PROCEDURE
        elif status == UNGROUPED:
            out_reason[i] = CATCH_ALL
        else:
            out_reason[i] = NO_REASON


def group_rows(t: Any, ints: Any, words: Any, cases: Any, start: int, stop: int, out: Any) -> None:
    """Group the rows from `start` to `stop` and write their results.

    Parameters
    ----------
    t : record
        Where the tables start in `ints` and `words`.
    ints : ndarray of int32
    words : ndarray of uint64
    cases : tuple of ndarray
        Principal diagnosis ids; offsets and ids of other diagnoses; principal procedure ids;
        offsets and ids of other procedures; sex; age in years; age in days; newborn's weight;
        interval or class of each local variable of the scheme, shape (rows, variables).
    start, stop : int
    out : tuple of ndarray
        ADRG index, DRG index (int16, -1 for none), status, reason, severity (int8, -1 where the
        row is invalid), flags of unknown codes (int8).
    """
    bits = np.zeros(t["other_diagnosis_words"] + t["other_procedure_words"], dtype=np.uint64)
    interval = np.zeros(4 + cases[-1].shape[1], dtype=np.int64)
    seen = np.zeros(t["seen_codes"], dtype=np.int64)
    _group_rows(t, ints, words, cases, start, stop, out, bits, interval, seen)
