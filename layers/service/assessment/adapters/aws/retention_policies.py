"""How long organisations keep their batches, in DynamoDB."""

from __future__ import annotations

from assessment.adapters.aws import keys
from assessment.adapters.item_table import ItemTable
from assessment.domain.retention import RetentionPolicy


class DynamoDBRetentionPolicies:
    """The one item with the days of the organisation."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def get_policy(self) -> RetentionPolicy:
        """The policy, strongly consistent; the stack's days where none was set."""
        item = self._table.get(keys.retention_policy())
        if item is None:
            return RetentionPolicy(retention_days=None)
        return RetentionPolicy.model_validate_json(item["policy"])

    def put_policy(self, policy: RetentionPolicy) -> None:
        """Set the policy; batches that were requested before keep their time."""
        self._table.put({**keys.retention_policy(), "policy": policy})
