"""Commands look again soon at what they wait for."""

from tests.fakes.pauses import short_pauses

__all__ = ["short_pauses"]
