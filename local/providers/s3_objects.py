"""Objects in the laptop cloud's S3: the input and output of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.providers.json_lines import Problem, UnfitBatchError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Objects(Protocol):
    """Storage of a job's records and results; called in worker threads.

    Both raise UnfitBatchError when an object cannot be reached.
    """

    def read(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        ...

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object."""
        ...


class S3Objects:
    """Objects by a boto3 client."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def read(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise _access_error("read", bucket, key, error) from error

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object."""
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise _access_error("write", bucket, key, error) from error


def _access_error(verb: str, bucket: str, key: str, error: Exception) -> UnfitBatchError:
    return UnfitBatchError(Problem("s3", f"cannot {verb} s3://{bucket}/{key}: {error}"))
