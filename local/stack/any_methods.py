"""Methods that a definition of an API gives a path all at once.

MiniStack leaves `x-amazon-apigateway-any-method` out when it reads a definition, though it serves
such methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ministack.services import apigateway_v1

_ALL = "x-amazon-apigateway-any-method"


class AnyMethods:
    """Reads from a definition also what it says of all methods of a path."""

    def __init__(self) -> None:
        self._import: Callable[..., None] = apigateway_v1._import_path_item  # noqa: SLF001

    def install(self) -> None:
        """Put it in place of MiniStack's own."""
        apigateway_v1._import_path_item = self.import_path_item  # noqa: SLF001

    def import_path_item(
        self, api_id: str, path: str, methods: Mapping[str, object], *security: object
    ) -> None:
        """Read the methods of one path."""
        self._import(api_id, path, methods, *security)
        if operation := methods.get(_ALL):
            resources = apigateway_v1._resources[api_id]  # noqa: SLF001
            (resource_id,) = (key for key, each in resources.items() if each["path"] == path)
            apigateway_v1._import_operation(  # noqa: SLF001
                api_id, resource_id, "ANY", operation, *security
            )
