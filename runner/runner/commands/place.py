"""The options that say where batches are, and the way there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import override

from assessment.domain.access import Role
from runner.batch_client import BatchClient
from runner.client import ApiClient
from runner.commands import options
from runner.errors import NotAuthorisedError
from runner.stack import DEFAULT_STACK, Aws, Stack, find_stack, mint_token, read_secret


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """The options that name a stack: by its outputs in AWS, or by the API's address."""

    stack: options.StackName = DEFAULT_STACK
    local: options.Local = False
    api_url: options.ApiUrl = None

    @property
    def aws(self) -> Aws:
        """The AWS account, or the laptop cloud."""
        return Aws.local() if self.local else Aws.from_environment()

    def connect(self, *, admin: bool = False) -> ApiClient:
        """A client of the stack.

        The token is that of CJ_TOKEN, or one minted with the stack's secret.

        Raises
        ------
        StackNotReachableError, NotAuthorisedError
        """
        if self.api_url is None:
            aws = self.aws
            return connect_client(find_stack(self.stack, aws), aws, admin=admin)
        token = _read_token()
        if token is None:
            raise NotAuthorisedError(
                "--api-url needs a token in CJ_TOKEN; whoever may read the stack's secret "
                "gets one from `cj token`"
            )
        return ApiClient(self.api_url, token)

    def describe(self) -> str:
        """The options that lead another command to the same place."""
        if self.api_url is not None:
            return f" --api-url {self.api_url}"
        stack = f" --stack {self.stack}" if self.stack != DEFAULT_STACK else ""
        return f"{' --local' if self.local else ''}{stack}"


@dataclass(frozen=True, kw_only=True)
class PlaceOptions(StackOptions):
    """The options that name a stack, or a workspace on this machine instead."""

    offline: options.Offline = False
    workspace: options.WorkspaceFolder = options.DEFAULT_WORKSPACE

    @contextmanager
    def open(self, *, admin: bool = False) -> Iterator[BatchClient]:
        """The batches of the workspace with --offline, else those of the stack.

        Raises
        ------
        BadInputError, StackNotReachableError, NotAuthorisedError
        """
        if not self.offline:
            with self.connect(admin=admin) as client:
                yield client
            return
        # It brings the use cases and the mathematics with it, which take their time to import.
        from runner.offline.local_client import WorkspaceClient
        from runner.offline.workspace import Workspace

        with Workspace.open_folder(self.workspace) as opened:
            yield WorkspaceClient(opened)

    @override
    def describe(self) -> str:
        if not self.offline:
            return super().describe()
        is_default = self.workspace == options.DEFAULT_WORKSPACE
        return " --offline" if is_default else f" --offline --workspace {self.workspace}"


def connect_client(stack: Stack, aws: Aws, *, admin: bool = False) -> ApiClient:
    """A client of a stack.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    token = _read_token()
    if token is None:
        token = mint_token(
            read_secret(stack.api_secret_arn, aws),
            now=datetime.now(UTC),
            role=Role.ADMIN if admin else Role.ASSESSOR,
        )
    return ApiClient(stack.api_url, token)


def _read_token() -> str | None:
    return os.environ.get("CJ_TOKEN", "").strip() or None
