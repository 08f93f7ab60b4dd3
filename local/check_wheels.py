"""Installs the wheels in a fresh environment and uses them there: `make dist-test`.

Everything runs in a folder of its own, with nothing of the repository on any path.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "plastic-bottles"
_FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_MARK = "The scoring package"
_ESSAYS = 8
_PACKAGES = ("cj-scoring", "cj-assessment", "cj-runner")
_ORIGIN = "import scoring, sys; assert scoring.__file__.startswith(sys.prefix), scoring.__file__"


class WheelProblemError(Exception):
    """Something does not work with the wheels alone."""


def read_quickstart(readme: str) -> str:
    """The first Python block below the README's heading of the scoring package."""
    block = _FENCE.search(readme[readme.index(_MARK) :])
    if block is None:
        raise WheelProblemError(f"README.md has no Python block below {_MARK!r}")
    return block[1]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in a folder of its own, and the wheels it takes."""

    folder: Path
    wheels: Path

    @property
    def _bin(self) -> Path:
        return self.folder / "venv" / "bin"

    def create(self) -> None:
        """Make it, empty."""
        self._uv("venv", "--quiet", "--python", sys.executable, str(self.folder / "venv"))

    def install(self, *requirements: str) -> None:
        """Install from the wheels, in the versions that the project is tested with."""
        self._uv(
            *("pip", "install", "--quiet", "--python", str(self._bin / "python")),
            *("--find-links", str(self.wheels)),
            # Its cache would give back an earlier build of the same version.
            *chain.from_iterable(("--refresh-package", name) for name in _PACKAGES),
            *("--constraint", str(ROOT / "requirements" / "dev.txt")),
            *requirements,
        )

    def run(self, *command: str, exit_code: int = 0) -> str:
        """What a command of the environment writes.

        Raises
        ------
        WheelProblemError
            If it ends in another way than expected.
        """
        path = f"{self._bin}:/usr/bin:/bin"
        variables = {"PATH": path, "HOME": str(self.folder), "MPLBACKEND": "Agg", "COLUMNS": "200"}
        ended = subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        output = ended.stdout + ended.stderr
        if ended.returncode != exit_code:
            raise WheelProblemError(f"{' '.join(command)} ended with {ended.returncode}:\n{output}")
        return output

    def _uv(self, *arguments: str) -> None:
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([str(uv), *arguments], check=True, cwd=self.folder)


def check(environment: Environment) -> None:
    """Use the packages as their readers are told to."""
    environment.create()
    environment.install("cj-scoring[report]")
    environment.run("python", "-I", "-c", _ORIGIN)
    quickstart = environment.folder / "quickstart.py"
    quickstart.write_text(read_quickstart((ROOT / "README.md").read_text(encoding="utf-8")))
    expect(environment.run("python", "-I", str(quickstart)), "ada")
    print("cj-scoring: installed, and the quickstart runs")

    environment.install("cj-runner")
    essays = environment.folder / "essays"
    essays.mkdir()
    for text in sorted((SAMPLE / "essays").glob("*.txt"))[:_ESSAYS]:
        shutil.copy(text, essays)
    expect(environment.run("cj", "--help"), "execute")
    finished = environment.run("cj", "execute", "essays", "--offline", "--judge", "surface")
    expect(finished, "a baseline, not an assessment")
    (environment.folder / "judgements.csv").write_text("winner,loser\na,b\nb,c\na,c\nc,a\n")
    expect(environment.run("cj", "fit", "judgements.csv"), "a")
    (essays / "letter.odt").write_bytes(b"PK")
    refused = environment.run(
        "cj", "execute", "essays", "--offline", "--judge", "surface", exit_code=2
    )
    expect(" ".join(refused.split()), "cj-runner[intake]")
    print("cj-runner: installed, a batch runs offline, and documents ask for their extra")

    environment.install("cj-runner[intake,parquet,report]")
    readers = "import docx, duckdb, lxml, matplotlib, odfdo, pypdf, striprtf"
    environment.run("python", "-I", "-c", readers)
    print("cj-runner[intake,parquet,report]: installed")


def expect(output: str, words: str) -> None:
    """Refuse output without these words."""
    if words not in output:
        raise WheelProblemError(f"{words!r} is not in:\n{output}")


def main() -> None:
    """Check the wheels in the folder that the command line names."""
    wheels = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(Environment(Path(folder), wheels))
        except WheelProblemError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
