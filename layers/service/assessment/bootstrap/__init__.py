"""The composition root: what a process is made of, from the settings of its function."""

from __future__ import annotations

from assessment.bootstrap import clients
from assessment.bootstrap.clients import Clients
from assessment.bootstrap.composition import Composition
from assessment.bootstrap.runtime import adapters, event_loop, process, run

__all__ = ["Clients", "Composition", "adapters", "clients", "event_loop", "process", "run"]
