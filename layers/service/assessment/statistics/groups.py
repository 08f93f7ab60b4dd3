"""Groups of a batch by `scoring.groups`: differences with intervals, and judges' bonuses."""

from __future__ import annotations

from collections import Counter

import numpy as np

from assessment.domain.group_report import (
    FEWEST_ESSAYS,
    FEWEST_VERDICTS,
    GroupDifference,
    GroupReport,
    JudgeGroupEffect,
    NoFigureReason,
)
from assessment.domain.note import Note, NoteCode
from assessment.statistics.pool import Ints, JudgedPool
from scoring import Fit
from scoring.groups import Contrast, count_mixed, group_differences, judge_group_effects

_Z95 = 1.959963984540054
# The bonuses take a matrix of essays and bonuses; above this it would take too long.
_MOST_PARAMETERS = 1500
_SMALL = f"fewer than {FEWEST_ESSAYS} essays: nothing can be told"
_ALONE = f"no other group has {FEWEST_ESSAYS} essays"
_FEW = f"fewer than {FEWEST_VERDICTS} verdicts on this group and another"
_ONE_JUDGE = Note(
    code=NoteCode.ONE_JUDGE,
    message="one judge: whether it favours a group cannot be told from its own verdicts; verdicts "
    "of other judges, people best, on a share of the pairs would show it",
)
_TOO_LARGE = Note(
    code=NoteCode.TOO_MUCH_TO_ESTIMATE,
    message="too many essays, judges and groups to estimate what each judge gives each group",
)


def describe_groups(pool: JudgedPool, fit: Fit) -> GroupReport | None:
    """What the verdicts tell of the groups; None where no essay has one."""
    sizes = Counter(e.group for e in pool.spec.essays if e.group is not None)
    if not sizes:
        return None
    compared = sorted(name for name, size in sizes.items() if size >= FEWEST_ESSAYS)
    if len(compared) <= 1:
        return GroupReport(groups=[_untold(name, sizes) for name in sorted(sizes)])
    members = _number_groups(pool, compared)
    contrast = group_differences(pool.fit_at_one_spread(fit), members, compared=len(compared))
    groups = [
        _difference(name, sizes, contrast, compared) if name in compared else _untold(name, sizes)
        for name in sorted(sizes)
    ]
    effects, notes = _judge_effects(pool, fit, members, compared)
    return GroupReport(groups=groups, judge_effects=effects, notes=notes)


def _number_groups(pool: JudgedPool, compared: list[str]) -> Ints:
    """Group numbers of all essays; anchors, and essays that are in no compared group, come last."""
    number = {name: index for index, name in enumerate(compared)}
    anchors, others = len(compared), len(compared) + 1
    raw = np.array(
        [
            anchors if essay.is_anchor else number.get(essay.group or "", others)
            for essay in pool.spec.essays
        ]
    )
    # Numbers without a gap: there may be no anchors.
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


def _untold(name: str, sizes: Counter[str]) -> GroupDifference:
    if sizes[name] < FEWEST_ESSAYS:
        return GroupDifference(
            group=name, essays=None, reason=_SMALL, reason_code=NoFigureReason.FEW_ESSAYS
        )
    return GroupDifference(
        group=name, essays=sizes[name], reason=_ALONE, reason_code=NoFigureReason.NO_OTHER_GROUP
    )


def _difference(
    name: str, sizes: Counter[str], contrast: Contrast, compared: list[str]
) -> GroupDifference:
    row = compared.index(name)
    return GroupDifference(
        group=name,
        essays=sizes[name],
        difference=float(contrast.estimate[row]),
        interval=_interval(contrast, row),
    )


def _interval(contrast: Contrast, row: int) -> tuple[float, float]:
    half = _Z95 * float(contrast.standard_error[row])
    return float(contrast.estimate[row]) - half, float(contrast.estimate[row]) + half


def _judge_effects(
    pool: JudgedPool, fit: Fit, members: Ints, compared: list[str]
) -> tuple[list[JudgeGroupEffect], list[Note]]:
    if len(pool.judges) <= 1:
        return [], [_ONE_JUDGE]
    if pool.n_essays + len(pool.judges) * (int(members.max()) + 1) > _MOST_PARAMETERS:
        return [], [_TOO_LARGE]
    judged = pool.comparisons()
    contrasts = judge_group_effects(fit, judged, members, compared=len(compared))
    counts = count_mixed(judged, members, compared=len(compared), n_judges=len(pool.judges))
    return [
        _effect(judge, name, contrast, row, n_verdicts=int(counts[number, row]))
        for number, (judge, contrast) in enumerate(zip(pool.judges, contrasts, strict=True))
        for row, name in enumerate(compared)
    ], []


def _effect(
    judge: str, name: str, contrast: Contrast, row: int, *, n_verdicts: int
) -> JudgeGroupEffect:
    if n_verdicts < FEWEST_VERDICTS:
        return JudgeGroupEffect(
            judge=judge,
            group=name,
            verdicts=n_verdicts,
            reason=_FEW,
            reason_code=NoFigureReason.FEW_VERDICTS,
        )
    return JudgeGroupEffect(
        judge=judge,
        group=name,
        verdicts=n_verdicts,
        effect=float(contrast.estimate[row]),
        interval=_interval(contrast, row),
    )
