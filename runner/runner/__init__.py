"""The `cj` command."""
