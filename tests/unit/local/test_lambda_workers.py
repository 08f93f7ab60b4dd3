"""How the laptop cloud's workers come by their code, without starting it."""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from local.stack.lambda_workers import (
    LAYERS_VARIABLE,
    RUNTIME_PACKAGES,
    Turns,
    Worker,
    provide_runtime,
    restrict_imports,
    share_layers,
    unpack_layer,
)

SERVICE, SCORING = (f"arn:aws:lambda:us-east-1:000000000000:layer:{name}:1" for name in "ab")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def archive(module):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr(f"python/{module}.py", "")
    return content.getvalue()


def test_a_version_of_a_layer_is_unpacked_once():
    folder = unpack_layer(SERVICE, archive("one"))
    assert (folder / "python" / "one.py").exists()
    assert unpack_layer(SERVICE, b"not read again") == folder
    assert unpack_layer(SCORING, archive("two")) != folder


def test_workers_are_given_folders_in_the_order_of_the_layers(monkeypatch):
    archives = {SERVICE: archive("one"), SCORING: archive("two")}
    find = lambda layer: archives.get(layer["Arn"])  # noqa: E731
    monkeypatch.setattr("ministack.services.lambda_svc._resolve_layer_zip", find)
    deleted = {"Arn": SERVICE.replace(":1", ":2")}
    given = {
        "FunctionName": "f",
        "Layers": [{"Arn": SERVICE}, deleted, {"Arn": SCORING}],
        "Environment": {"Variables": {"TABLE_NAME": "t"}},
    }
    shared = share_layers(given)
    folders = shared["Environment"]["Variables"].pop(LAYERS_VARIABLE).split(os.pathsep)
    modules = [[file.stem for file in Path(each).glob("python/*.py")] for each in folders]
    assert modules == [["one"], ["two"]]
    assert shared == {**given, "Layers": []}
    assert share_layers(shared) == shared


def test_a_worker_imports_what_the_runtime_of_aws_has_and_nothing_else():
    elsewhere = ("pydantic", "rich", "assessment", "scoring", "pytest")
    names = (*RUNTIME_PACKAGES, *elsewhere, "json", "math")
    program = restrict_imports(provide_runtime()) + (
        "import importlib.util, json, boto3, ssl\n"
        f"print(json.dumps([n for n in {names!r} if importlib.util.find_spec(n)]))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(run.stdout) == [*RUNTIME_PACKAGES, "json", "math"]


def test_calls_of_one_function_wait_for_each_other(monkeypatch):
    busy = []

    def execute(function, event, request_id):
        busy.append([turns.free[name].acquire(blocking=False) for name in ("f", "g")])
        if event == "dies":
            raise RuntimeError(request_id)
        return {"body": event}

    monkeypatch.setattr("ministack.services.lambda_svc._execute_function_warm", execute)
    turns = Turns(1)
    assert turns.execute({"config": {"FunctionName": "f"}}, "event", "1") == {"body": "event"}
    with pytest.raises(RuntimeError):
        turns.execute({"FunctionName": "f"}, "dies", "2")
    assert busy == [[False, True], [False, False]], "g was taken by the first call"
    assert turns.free["f"].acquire(blocking=False), "a call that failed has given its place back"


def test_a_worker_that_a_queue_feeds_yields_the_processor(monkeypatch):
    mappings = [("0" * 12, "us-east-1", {"FunctionName": "fed"})]
    monkeypatch.setattr("ministack.services.lambda_svc._iter_all_esms", lambda: iter(mappings))

    def spawn(worker):
        worker._proc = subprocess.Popen(["cat"], stdin=subprocess.PIPE)

    monkeypatch.setattr(Worker.__base__, "_spawn", spawn)
    niceness = {}
    for name in ("fed", "asked"):
        worker = Worker(name, {}, b"")
        worker._spawn()
        with worker._proc as process:
            niceness[name] = os.getpriority(os.PRIO_PROCESS, process.pid)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness == {"fed": min(mine + 10, 19), "asked": mine}
