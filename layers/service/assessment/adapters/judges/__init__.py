"""Judges: the providers and endpoints that answer comparisons."""
