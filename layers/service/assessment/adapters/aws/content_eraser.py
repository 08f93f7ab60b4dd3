"""Removes objects of the bucket permanently: in a versioned bucket, all versions of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from assessment.adapters.aws.errors import wrap_client
from assessment.domain.errors import TransientError
from assessment.ports.content import ContentStore

_AT_ONCE = 1000


class S3ContentEraser:
    """What one organisation has in the bucket."""

    def __init__(self, client: Any, bucket: str, content: ContentStore) -> None:
        self._client = wrap_client(client)
        self._bucket = bucket
        self._content = content

    def list_keys(self, folder: str) -> list[str]:
        """Keys as the content store takes them."""
        whole, own = self._content.place(f"{folder}/"), f"{folder}/"
        pages = self._pages("list_objects_v2", Prefix=whole)
        return sorted(
            own + entry["Key"].removeprefix(whole)
            for page in pages
            for entry in page.get("Contents", [])
        )

    def erase_folder(self, folder: str) -> None:
        """Every version and every mark of a deletion."""
        self._erase(self._versions(self._content.place(f"{folder}/")))

    def erase_document(self, key: str) -> None:
        """Of this key alone: others may begin with it."""
        place = self._content.place(key)
        self._erase(each for each in self._versions(place) if each["Key"] == place)

    def erase_earlier_versions(self, folder: str) -> None:
        """A mark of a deletion is the present version of what was removed: all of that goes."""
        prefix = self._content.place(f"{folder}/")
        doomed: list[dict[str, Any]] = []
        for page in self._pages("list_object_versions", Prefix=prefix):
            doomed += [each for each in page.get("Versions", []) if not each["IsLatest"]]
            doomed += page.get("DeleteMarkers", [])
        self._erase(iter(doomed))

    def erase_unnamed(self, folder: str, *, named: Collection[str], before: datetime) -> int:
        """By the time of each key's last writing; all its versions go at once."""
        named_places = {self._content.place(key) for key in named}
        versions: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in self._versions(self._content.place(f"{folder}/")):
            versions[each["Key"]].append(each)
        unnamed = [group for key, group in versions.items() if key not in named_places]
        settled = [
            group for group in unnamed if max(each["LastModified"] for each in group) < before
        ]
        self._erase(each for group in settled for each in group)
        return len(unnamed) - len(settled)

    def _versions(self, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._pages("list_object_versions", Prefix=prefix):
            yield from page.get("Versions", [])
            yield from page.get("DeleteMarkers", [])

    def _pages(self, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        """The pages of a listing; the client's own paginators pass by the translation of errors."""
        parameters = {"Bucket": self._bucket, **request}
        while True:
            page = getattr(self._client, operation)(**parameters)
            yield page
            if not page.get("IsTruncated"):
                return
            if "NextContinuationToken" in page:
                parameters["ContinuationToken"] = page["NextContinuationToken"]
            else:
                parameters["KeyMarker"] = page["NextKeyMarker"]
                parameters["VersionIdMarker"] = page["NextVersionIdMarker"]

    def _erase(self, versions: Iterator[dict[str, Any]]) -> None:
        # Listed whole before the first is gone: a listing need not go on where it changes.
        doomed = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
        for start in range(0, len(doomed), _AT_ONCE):
            part = doomed[start : start + _AT_ONCE]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": part, "Quiet": True}
            )
            if answer.get("Errors"):
                raise TransientError(f"S3 did not delete {len(answer['Errors'])} objects")
