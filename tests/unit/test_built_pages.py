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
from assessment.domain import failure_cause
from assessment.domain.attention import LEFT_OUT, AttentionReason
from assessment.domain.decision import Reason
from assessment.domain.errors import CJError
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_result import NoGradesReason
from assessment.domain.group_report import NoFigureReason
from assessment.domain.not_assessed import NotAssessedReason
from assessment.domain.note import NoteCode
from assessment.usecases import fail_batch

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


def _list_error_codes(kind: type[CJError] = CJError) -> set[str]:
    return {kind.code}.union(*(_list_error_codes(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize(
    ("prefix", "codes"),
    [
        ("noGrades", set(NoGradesReason)),
        ("groups", set(NoFigureReason)),
        ("note", set(NoteCode)),
        ("notAssessed", {*NotAssessedReason, LEFT_OUT}),
        ("reason", set(Reason) - {Reason.BATCH_ENDED}),
        ("remedy", {*fail_batch.REMEDIES, *failure_cause.REMEDIES}),
        ("kind", _list_error_codes()),
        ("flag", set(EssayFlag)),
        ("cause", set(AttentionReason)),
    ],
)
def test_the_pages_have_words_for_every_code_of_the_service(prefix, codes):
    keys = read_catalogue(LANGUAGES / "en.json").keys()
    assert {f"{prefix}.{code}" for code in codes} <= keys


def test_a_release_is_named_by_its_content():
    assert re.fullmatch(r"[0-9a-f]{16}", compute_release())
