"""Documents as people save them become plain texts; a hostile one ends with an error of its own.

The parsers run in a process of their own (`worker`), with a limit on memory and on time.
"""
