"""What a process of the laptop cloud imports besides its own code: as much as AWS's runtime has."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
import tempfile
from pathlib import Path

LAYERS_VARIABLE = "_LAMBDA_LAYERS_DIRS"
"""Where MiniStack's worker script looks for layers."""

# Beside the standard library AWS's runtime of Python has boto3 and what that needs.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


def provide_runtime(parent: Path | None = None) -> Path:
    """A new folder with the packages of AWS's runtime, as links to those of this environment."""
    folder = Path(tempfile.mkdtemp(prefix="runtime-", dir=parent))
    for name in RUNTIME_PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{name} is not installed", name=name)
        module = Path(spec.origin)
        source = module.parent if spec.submodule_search_locations else module
        (folder / source.name).symlink_to(source)
    return folder


def restrict_imports(runtime: Path) -> str:
    """Lines of Python after which a process imports from the standard library and that folder."""
    library = sysconfig.get_path("stdlib")
    # A virtual environment has no extension modules of its own.
    platform = sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})
    extensions = str(Path(platform) / "lib-dynload")
    return f"import sys\nsys.path[:] = {[str(runtime), library, extensions]!r}\n"
