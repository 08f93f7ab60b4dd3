"""Judges: whoever answers a comparison."""
