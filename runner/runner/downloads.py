"""Files behind links that need no token."""

from pathlib import Path

import httpx
from httpx_retries import RetryTransport

from runner.api.connection import RETRY
from runner.errors import StackNotReachableError
from runner.files import write_whole

_TIMEOUT = httpx.Timeout(300.0, connect=5.0)


def download(link: str, path: Path) -> None:
    """Save what is behind the link; the file is whole, or it is as it was.

    Raises
    ------
    StackNotReachableError
        If the link does not open: it may be too old.
    BadInputError
        If the file cannot be written.
    """
    # Without the token: the link is the permission, and it leads elsewhere.
    try:
        with httpx.Client(transport=RetryTransport(retry=RETRY), timeout=_TIMEOUT) as client:
            answered = client.get(link).raise_for_status()
    except httpx.HTTPError as error:
        raise StackNotReachableError(
            f"{path.name} could not be fetched ({type(error).__name__}); try again"
        ) from None
    write_whole(path, answered.content)
