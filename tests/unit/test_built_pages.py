"""The built pages are those of the sources, and speak every language whole."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from assessment.contracts.page_files import compute_release, read_page_file

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "web"
LANGUAGES = SOURCES / "src" / "languages"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KEY = re.compile(r'\bt\(\s*"([\w.]+)"')


def read_catalogue(path: Path) -> dict[str, str]:
    pairs = json.loads(path.read_text(), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"{path.name} has a key twice"
    return dict(pairs)


def list_scripts() -> list[Path]:
    return [path for path in (SOURCES / "src").rglob("*.js*") if path.suffix != ".json"]


def test_the_built_pages_are_those_of_the_sources():
    built_from = json.loads(read_page_file("sources.json"))
    digests = {
        path: hashlib.sha256((SOURCES / path).read_bytes()).hexdigest()
        for path in built_from
        if (SOURCES / path).is_file()
    }
    assert built_from == digests, "run make web"
    present = {
        str(path.relative_to(SOURCES)) for path in (SOURCES / "src").rglob("*") if path.is_file()
    }
    assert present <= built_from.keys(), "run make web"


@pytest.mark.skipif(
    which("node") is None or not (SOURCES / "node_modules" / "esbuild").is_dir(),
    reason="builds the pages again where make web has fetched what that needs",
)
def test_building_again_gives_the_same_bytes():
    folder = ROOT / "layers" / "service" / "assessment" / "web"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run(["node", "build.mjs"], cwd=SOURCES, check=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_every_package_is_pinned_by_hash_and_has_its_licence():
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    fetched = {name: entry for name, entry in locked.items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in fetched.values())
    assert not any("resolved" in entry for entry in fetched.values())
    licences = read_page_file("licences.txt")
    for name in ("@observablehq/plot", "d3-scale", "preact"):
        version = fetched[f"node_modules/{name}"]["version"]
        assert f"{name} {version} (" in licences


def test_the_languages_have_the_same_keys_and_values():
    catalogues = {path.stem: read_catalogue(path) for path in LANGUAGES.glob("*.json")}
    assert catalogues.keys() == {"en", "sv"}
    english = catalogues.pop("en")
    for language, catalogue in catalogues.items():
        assert catalogue.keys() == english.keys(), language
        for key, words in catalogue.items():
            assert words.strip(), key
            placeholders = sorted(set(_PLACEHOLDER.findall(words)))
            assert placeholders == sorted(set(_PLACEHOLDER.findall(english[key]))), key


def test_every_key_that_the_pages_use_is_there():
    english = read_catalogue(LANGUAGES / "en.json")
    known = english.keys() | {key.rpartition(".")[0] for key in english}
    used = {key for path in list_scripts() for key in _KEY.findall(path.read_text())}
    assert used
    assert used - known == set()


def test_every_key_is_used():
    """By its whole name, or by a name that begins as a template does (`cause.${reason}`)."""
    source = "\n".join(path.read_text() for path in list_scripts())
    beginnings = tuple(set(re.findall(r"`([\w.]+\.)\$\{", source)))
    quoted = set(re.findall(r'"([\w.]+)"', source))
    unused = [
        key
        for key in read_catalogue(LANGUAGES / "en.json")
        if key not in quoted
        and re.sub(r"\.(one|other)$", "", key) not in quoted
        and not key.startswith(beginnings)
    ]
    assert unused == []


def test_the_pages_know_why_the_service_gives_no_grades():
    """They know its reasons by their words; where it changes these, the pages have to follow."""
    sections = (SOURCES / "src" / "result" / "sections.jsx").read_text()
    known = re.findall(r"^  \[/\^(.*?)\$?/, \"noGrades\.", sections, flags=re.MULTILINE)
    assert len(known) == 4
    modules = ("assessment/statistics/grades.py", "scoring/_grades/anchor_health.py")
    service = "".join(
        path.read_text() for name in modules for path in (ROOT / "layers").glob(f"*/{name}")
    )
    told = [words.rpartition(r"\d+ ")[2] for words in known]
    assert [words for words in told if words not in service] == []


def test_a_release_is_named_by_its_content():
    assert re.fullmatch(r"[0-9a-f]{16}", compute_release())
