"""The commands of `cj`: each parses its options, calls one function and prints."""
