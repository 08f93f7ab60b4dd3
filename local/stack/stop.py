"""Stops every laptop cloud and sample judge that runs here: `python -m local.stack.stop`.

It works where the packages are not installed, as after a `make setup` that failed.
"""

from __future__ import annotations

import sys

from local.stack import processes


def stop_all() -> list[str]:
    """Stop every server that this folder started; the names of those that were running."""
    return [name for name in _list_servers() if processes.forget(name)]


def _list_servers() -> list[str]:
    return sorted(record.parent.name for record in processes.STATE.glob("*/server.json"))


def keep_all() -> str | None:
    """Save what batches on the developer's laptop cloud have brought, and say where.

    Raises
    ------
    ModuleNotFoundError
        If there is a laptop cloud, and no package to ask it with.
    """
    if processes.find_server("cloud") is None:
        return None
    from local.stack import cloud

    batch_ids = cloud.save_batches()
    return cloud.describe_saved(batch_ids) if batch_ids else None


def main() -> None:
    """Save results, stop everything, and say both."""
    try:
        saved = keep_all()
    except ModuleNotFoundError as error:
        sys.exit(
            f"a laptop cloud runs, and its results cannot be saved ({error}): run `make setup`, "
            "then this again"
        )
    if saved:
        print(saved)
    stopped = stop_all()
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


if __name__ == "__main__":
    main()
