"""Comparative judgement of essays: domain, use cases and adapters (maths lives in `scoring`)."""

__version__ = "0.1.0"
