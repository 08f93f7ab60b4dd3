"""Providers as this project's tests know them: their wire formats and batch interfaces."""
