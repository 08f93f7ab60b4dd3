"""A result on the terminal: the ranking with its uncertainty, and what to make of it."""

from collections import defaultdict
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from assessment.contracts.result import ResultDocument
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_result import Confidence, GradeProjections
from assessment.domain.identifiers import ANCHOR_PREFIX
from assessment.domain.note import Note
from assessment.domain.result import Ranking, Reliability

_SHOWN_SHARE = 0.9
_SHOWN_GRADES = 3
_NEARLY_CERTAIN = 0.995
_MISGRADED_BELOW = 0.5
_FLAGS: dict[str, str] = {
    EssayFlag.EMPTY: "no words",
    EssayFlag.TOO_SHORT: "few words",
    EssayFlag.TOO_LONG: "may be too long for the judge",
    EssayFlag.OFF_LANGUAGE: "another language than most",
    EssayFlag.INSTRUCTION_LIKE: "contains instructions to the judge",
    EssayFlag.IDENTICAL_TEXT: "the same text as another essay",
}
_CONFIDENCE_STYLE = {Confidence.HIGH: "green", Confidence.MID: "yellow", Confidence.LOW: "red"}


def ability_cell(ability: float, standard_error: float) -> str:
    """An ability with its standard error, logits."""
    return f"{ability:+.2f} ± {standard_error:.2f}"


def percent(probability: float) -> str:
    """A probability in per cent that never rounds to a certainty."""
    if _NEARLY_CERTAIN <= probability < 1:
        return ">99%"
    if 0 < probability <= 1 - _NEARLY_CERTAIN:
        return "<1%"
    return f"{probability:.0%}"


def probabilities_cell(probabilities: dict[str, float]) -> str:
    """The likeliest grades, as many as make nine tenths but at most three."""
    shown: list[str] = []
    total = 0.0
    for grade, probability in sorted(probabilities.items(), key=lambda entry: -entry[1]):
        if total >= _SHOWN_SHARE or len(shown) == _SHOWN_GRADES:
            break
        shown.append(f"{grade} {percent(probability)}")
        total += probability
    return "  ".join(shown)


def display_id(ranking: Ranking) -> str:
    """An essay's id as a person knows it: of an anchor, the reference it was registered with."""
    if not ranking.is_anchor:
        return ranking.essay_id
    return ranking.essay_id.removeprefix(ANCHOR_PREFIX).rpartition("_")[0]


def ranking_table(result: ResultDocument) -> Table:
    """All essays by rank; anchors are dimmed and show the grade they were given."""
    projected = result.grade_projections.projections_available
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("rank", justify="right")
    table.add_column("essay", overflow="fold")
    table.add_column("ability ± SE", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    if projected:
        table.add_column("grade probabilities", no_wrap=True)
        table.add_column("grade", no_wrap=True)
        table.add_column("confidence", no_wrap=True)
    for ranking in result.rankings:
        cells: list[str | Text] = [
            str(ranking.rank),
            Text(display_id(ranking)),
            ability_cell(ranking.bradley_terry_score, ranking.bradley_terry_se),
            str(ranking.comparison_count),
        ]
        if projected:
            cells += _grade_cells(ranking, result.grade_projections)
        table.add_row(*cells, style="dim" if ranking.is_anchor else None)
    return table


def _grade_cells(ranking: Ranking, projections: GradeProjections) -> list[Text]:
    if ranking.is_anchor:
        doubt = "  graded as it is?" if ranking.essay_id in doubtful_anchors(projections) else ""
        return [Text("anchor"), Text(f"{ranking.anchor_grade or ''}{doubt}"), Text("")]
    probabilities = projections.grade_probabilities.get(ranking.essay_id, {})
    confidence = projections.confidence_labels.get(ranking.essay_id)
    more = ranking.essay_id in projections.needs_more_evidence
    return [
        Text(probabilities_cell(probabilities)),
        Text(projections.primary_grades.get(ranking.essay_id, ""), style="bold"),
        Text(
            f"{confidence or ''}{', needs more evidence' if more else ''}",
            style=_CONFIDENCE_STYLE.get(confidence, "") if confidence else "",
        ),
    ]


def doubtful_anchors(projections: GradeProjections) -> frozenset[str]:
    """Anchors that the calibration weighs below one half: a misgrade is likely."""
    if projections.calibration_info is None:
        return frozenset()
    return frozenset(
        anchor.essay_id
        for anchor in projections.calibration_info.anchors
        if anchor.weight < _MISGRADED_BELOW
    )


def _count_line(result: ResultDocument) -> str:
    """Essays, waves and comparisons, and readings where there are lists."""
    counts = result.comparisons
    return (
        f"{result.n_students} essays and {result.n_anchors} anchors in {result.n_waves} waves: "
        f"{counts.planned} comparisons planned, {counts.recorded} recorded, "
        f"{counts.failed} failed{result.readings or ''}"
    )


def summary_lines(result: ResultDocument) -> list[str]:
    """How the batch ended, on what evidence, and what to be careful with."""
    reliability = result.reliability
    lines = [
        f"{result.outcome}: {result.decision.explanation} ({result.decision.reason})",
        _count_line(result),
    ]
    standard_errors = _describe_errors(reliability)
    # The reliability of verdicts that may be random means nothing.
    lines.append(
        standard_errors
        if result.audit.at_chance
        else f"model reliability {reliability.model_reliability:.2f}, {standard_errors}"
    )
    lines += _audit_lines(result) + _order_lines(result) + _grade_lines(result)
    lines += _essay_lines(result) + _group_lines(result) + _baseline_lines(result)
    lines += _read_notes(result.notes)
    if result.cost_usd:
        lines.append(f"the judge cost {result.cost_usd:.2f} USD{_describe_cache(result)}")
    return lines


def _describe_cache(result: ResultDocument) -> str:
    """How much of the input came from the provider's prompt cache, if any did."""
    if not result.cache_read_tokens:
        return ""
    share = result.cache_read_tokens / result.input_tokens
    return f"; {share:.0%} of its input was read from the provider's prompt cache"


def _describe_errors(reliability: Reliability) -> str:
    """The standard errors: in standard deviations of the abilities if known, and in logits."""
    logits = f"mean {reliability.mean_se:.2f}, largest {reliability.max_se:.2f} logits"
    if reliability.standardised_se is None:
        return f"SE {logits}"
    return f"SE {reliability.standardised_se:.2f} sd ({logits})"


def _essay_lines(result: ResultDocument) -> list[str]:
    """Essays that are not in the table, and those to look at, with the reasons."""
    lines = []
    for essay in result.not_assessed:
        detail = f": {essay.detail}" if essay.detail else ""
        lines.append(f"NOT ASSESSED {essay.essay_id}: {essay.reason}{detail}")
    not_assessed = {essay.essay_id for essay in result.not_assessed}
    for essay_id in result.excluded_essays:
        if essay_id not in not_assessed:
            reasons = ", ".join(result.essay_flags.get(essay_id, []))
            lines.append(f"set aside {essay_id}: {reasons}")
    by_flag: dict[str, list[str]] = defaultdict(list)
    for essay_id, flags in result.essay_flags.items():
        if essay_id not in result.excluded_essays:
            for flag in flags:
                by_flag[flag].append(essay_id)
    lines += [f"look at {', '.join(ids)}: {_FLAGS.get(f, f)}" for f, ids in by_flag.items()]
    return lines


def _read_notes(notes: Sequence[Note]) -> list[str]:
    return [note.message for note in notes]


def _group_lines(result: ResultDocument) -> list[str]:
    """How far groups are apart, and judges who differ about them beyond chance."""
    if result.groups is None:
        return []
    lines = []
    for group in result.groups.groups:
        if group.difference is None or group.interval is None:
            lines.append(f"group {group.group}: {group.reason}")
            continue
        low, high = group.interval
        lines.append(
            f"group {group.group} ({group.essays} essays): {group.difference:+.2f} logits from the "
            f"others (95% interval {low:+.2f} to {high:+.2f})"
        )
    lines += [
        f"judge {effect.judge} gives group {effect.group} {effect.effect:+.2f} logits beyond the "
        f"other judges (95% interval {effect.interval[0]:+.2f} to {effect.interval[1]:+.2f})"
        for effect in result.groups.judge_effects
        if effect.effect is not None
        and effect.interval is not None
        and (effect.interval[0] > 0 or effect.interval[1] < 0)
    ]
    return lines + _read_notes(result.groups.notes)


def _baseline_lines(result: ResultDocument) -> list[str]:
    """What length and surface alone say, and where the abilities say no more."""
    if result.baselines is None:
        return []
    lines = []
    for name, baseline in (
        ("length", result.baselines.length),
        ("surface", result.baselines.surface),
    ):
        if baseline.spearman is None:
            continue
        parts = [f"rank correlation with the abilities {baseline.spearman:.2f}"]
        if baseline.explained_share is not None:
            parts.append(f"explains {baseline.explained_share:.0%} of them")
        grades = baseline.grades
        if grades and grades.rps is not None and grades.rps_of_abilities is not None:
            parts.append(
                f"grades the anchors with an error of {grades.rps:.3f}, the abilities with "
                f"{grades.rps_of_abilities:.3f}"
            )
        lines.append(f"baseline {name}: {', '.join(parts)}")
    return lines + [f"CAUTION: {finding.message}" for finding in result.baselines.findings]


def _audit_lines(result: ResultDocument) -> list[str]:
    audit = result.audit
    if audit.agreement is None:
        return []
    interval = audit.agreement_interval
    spread = f" (95% interval {interval[0]:.2f} to {interval[1]:.2f})" if interval else ""
    lines = [
        f"audit: {audit.pairs} random pairs predicted with agreement {audit.agreement:.2f}{spread}"
    ]
    if audit.at_chance:
        lines.append("CAUTION: the judge is no better than chance; do not use these abilities")
    return lines


def _order_lines(result: ResultDocument) -> list[str]:
    return [
        f"judge {effect.judge} favours the essay shown first by "
        f"{effect.estimate:+.2f} ± {effect.standard_error:.2f} logits"
        for effect in result.order_effects
    ]


def _grade_lines(result: ResultDocument) -> list[str]:
    projections = result.grade_projections
    if not projections.projections_available:
        return [f"no grades: {projections.reason or 'the batch has no anchors'}"]
    info = projections.calibration_info
    lines = [f"grades: {warning}" for warning in info.warnings] if info else []
    if projections.grade_rule is not None:
        lines.append(f"every grade is the {projections.grade_rule} of its essay's probabilities")
    if info and info.extrapolated_grades:
        grades = ", ".join(info.extrapolated_grades)
        lines.append(f"grades without an anchor of their own, extrapolated: {grades}")
    if projections.needs_more_evidence:
        lines.append(f"in need of more evidence: {', '.join(projections.needs_more_evidence)}")
    return lines
