"""Logger and metrics, made once; the only module to change when tracing moves elsewhere.

Ids are logged; essay texts, tokens and whole events never are.
"""

from __future__ import annotations

import os
import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

# Many invocations count nothing, a repeated message for one; that is no reason to warn.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# The fallbacks serve functions that run outside of the stack: in a test or in another process.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "cj-assessment"
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "CJAssessment"
logger = Logger(service=SERVICE, log_uncaught_exceptions=True)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def count(name: str, value: float = 1, *, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add to a business metric; it is written when the handler returns."""
    metrics.add_metric(name=name, unit=unit, value=value)
