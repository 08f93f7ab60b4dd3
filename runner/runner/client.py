"""The REST API as typed calls: answers become models, problem documents become named errors."""

from runner.api.assignments import AssignmentCalls
from runner.api.batches import BatchCalls
from runner.api.erasures import ErasureCalls
from runner.api.people import PeopleCalls
from runner.api.webhooks import WebhookCalls


class ApiClient(BatchCalls, AssignmentCalls, PeopleCalls, ErasureCalls, WebhookCalls):
    """A stack's REST API. Use it as a context manager, or close it.

    Every method raises the `assessment.domain.errors` class that the API's problem document
    names, `NotAuthorisedError` when the token is refused, and `StackNotReachableError` when no
    answer comes after retries.
    """
