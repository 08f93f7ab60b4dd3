"""Stops every laptop cloud and sample judge that runs here: `python -m local.stack.stop`."""

from __future__ import annotations

from local.stack import cloud, processes


def stop_all() -> list[str]:
    """Stop every server that this folder started; the names of those that were running."""
    names = sorted(record.parent.name for record in processes.STATE.glob("*/server.json"))
    return [name for name in names if cloud.down(name)]


if __name__ == "__main__":
    stopped = stop_all()
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
