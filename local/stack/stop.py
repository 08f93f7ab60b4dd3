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


def keep_all() -> list[str]:
    """Save what batches on the developer's laptop cloud have brought; the ids of the batches.

    Raises
    ------
    ModuleNotFoundError
        If there is a laptop cloud, and no package to ask it with.
    """
    if processes.find_server("cloud") is None:
        return []
    from local.stack import cloud, keep

    running = cloud.status()
    if running is None:
        return []
    return keep.keep_batches(running.session().client("s3", endpoint_url=running.url))


def main() -> None:
    """Save results, stop everything, and say both."""
    try:
        batch_ids = keep_all()
    except ModuleNotFoundError as error:
        sys.exit(
            f"a laptop cloud runs, and its results cannot be saved ({error}): run `make setup`, "
            "then this again"
        )
    if batch_ids:
        folder = (processes.ROOT / "out" / "batches").relative_to(processes.ROOT)
        print(f"the results of {len(batch_ids)} batches of the laptop cloud are in {folder}/")
    stopped = stop_all()
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


if __name__ == "__main__":
    main()
