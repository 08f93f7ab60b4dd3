"""Stops every laptop cloud and sample judge that runs here: `python -m local.stack.stop`."""

from __future__ import annotations

from local.stack import cloud, processes
from local.stack.keep import KEPT, keep_batches


def stop_all() -> list[str]:
    """Stop every server that this folder started; the names of those that were running."""
    names = sorted(record.parent.name for record in processes.STATE.glob("*/server.json"))
    return [name for name in names if cloud.down(name)]


def keep_all() -> list[str]:
    """Save what batches on the developer's laptop cloud have brought; the ids of the batches."""
    running = cloud.status()
    if running is None:
        return []
    return keep_batches(running.session().client("s3", endpoint_url=running.url))


def main() -> None:
    """Save results, stop everything, and say both."""
    if batch_ids := keep_all():
        folder = KEPT.relative_to(processes.ROOT)
        print(f"the results of {len(batch_ids)} batches of the laptop cloud are in {folder}/")
    stopped = stop_all()
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


if __name__ == "__main__":
    main()
