"""Bytecode of all that the functions import, compiled once for every laptop cloud.

A build has none, so each cloud would compile a thousand modules before its first batch, and the
functions that start at the same time the same ones: some ten seconds of a processor.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.stack.runtime import provide_runtime, restrict_imports

LATE_IMPORTS = {
    "httpx": ("anyio._backends._asyncio",),
    "scoring": ("scipy.sparse.csgraph", "scipy.special", "scipy.optimize"),
}
"""What functions import at their first event, by what they have imported when they start."""

# Imports every function; what cannot be imported says so where it is called.
_IMPORT_ALL = """
import asyncio, contextlib, importlib, os, boto3  # they have their bytecode already
layers, functions, late, sys.pycache_prefix = sys.argv[1:]
sys.path[:0] = [os.path.join(layer, "python") for layer in layers.split(os.pathsep)]
for function in functions.split(os.pathsep):
    sys.path.insert(0, function)
    sys.modules.pop("app", None)
    with contextlib.suppress(Exception):
        importlib.import_module("app")
    sys.path.remove(function)
for name in late.split():
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""
_HEADER_BYTES = 16
# A hash stands for the source, and nobody looks whether it still fits (PEP 552): the files of an
# archive are as old as their unpacking.
_UNCHECKED = (1).to_bytes(4, "little")


def import_all(layers: list[Path], functions: list[Path], cache: Path) -> None:
    """Import all functions in one process, which leaves the bytecode in the cache."""
    late = [name for names in LATE_IMPORTS.values() for name in names]
    places = [os.pathsep.join(map(str, folders)) for folders in (layers, functions)]
    with tempfile.TemporaryDirectory() as scratch:
        program = restrict_imports(provide_runtime(Path(scratch))) + _IMPORT_ALL
        subprocess.run(
            [sys.executable, "-c", program, *places, " ".join(late), str(cache)],
            env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


def list_compiled(layer: Path, cache: Path) -> Iterator[tuple[str, bytes]]:
    """The bytecode that the cache has of a layer: places in the layer, and contents."""
    for file in sorted((cache / layer.relative_to("/")).rglob("*.pyc")):
        folder = layer / file.parent.relative_to(cache / layer.relative_to("/"))
        source = folder / f"{file.name.partition('.')[0]}.py"
        content = file.read_bytes()
        header = content[:4] + _UNCHECKED + importlib.util.source_hash(source.read_bytes())
        place = folder.relative_to(layer) / "__pycache__" / file.name
        yield str(place), header + content[_HEADER_BYTES:]
