"""Metrics about a decision: made after it, and changing nothing."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from assessment.observability import NAMESPACE, count
from assessment.usecases.score_batch import ScoredWave


def report_decision(scored: ScoredWave) -> None:
    """Count the decision by its kind, and what its context says about the batch."""
    with single_metric(
        name="workflow_decisions", unit=MetricUnit.Count, value=1, namespace=NAMESPACE
    ) as metric:
        metric.add_dimension(name="decision", value=scored.decision.decision)
    context = scored.context
    if context is None:
        return
    count("bt_se_inflated_batches", int(context.bt_se_inflated))
    count("bt_sparse_coverage_batches", int(context.sparse_coverage))
    count("verdicts_in_fit", context.successes)
    count("waves_closed_incomplete", int(not context.partial_completion_met))
    count("batch_cost_usd", context.cost_usd, unit=MetricUnit.NoUnit)
