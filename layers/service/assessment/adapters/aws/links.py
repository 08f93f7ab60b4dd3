"""Links to the bucket: for uploads and downloads that are too large for the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws.errors import error_code, wrap_client
from assessment.ports.content import ContentStore

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_PARAMETERS = {"Content-Type": "ContentType", "x-amz-checksum-sha256": "ChecksumSHA256"}


class S3Links:
    """Signed links to what one organisation may put and get."""

    def __init__(self, client: Any, bucket: str, content: ContentStore) -> None:
        self._client = client
        self._calls = wrap_client(client)
        self._bucket = bucket
        self._content = content

    def link_upload(
        self, key: str, *, headers: Mapping[str, str], n_bytes: int | None, life: timedelta
    ) -> str:
        """The headers are in the signature: another text is refused by the bucket."""
        parameters: dict[str, Any] = {_PARAMETERS[name]: text for name, text in headers.items()}
        if n_bytes is not None:
            parameters["ContentLength"] = n_bytes
        return self._sign("put_object", key, parameters, life)

    def link_download(self, key: str, *, file_name: str, life: timedelta) -> str:
        """The link names the file as it is to be saved."""
        disposition = {"ResponseContentDisposition": f'attachment; filename="{file_name}"'}
        return self._sign("get_object", key, disposition, life)

    def find_size(self, key: str) -> int | None:
        """The size by a call that reads nothing of it."""
        try:
            head = self._calls.head_object(Bucket=self._bucket, Key=self._content.place(key))
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return int(head["ContentLength"])

    def _sign(self, operation: str, key: str, more: Mapping[str, Any], life: timedelta) -> str:
        return str(
            self._client.generate_presigned_url(
                operation,
                Params={"Bucket": self._bucket, "Key": self._content.place(key), **more},
                ExpiresIn=int(life.total_seconds()),
            )
        )
