"""How the laptop cloud's workers come by their code, without starting it."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

import pytest
from ministack.core import lambda_runtime

from local.stack import lambda_workers
from local.stack.forking import DESCRIBED, TEMPLATE_SCRIPT, Templates
from local.stack.lambda_workers import (
    GATHERING_SECONDS,
    Gathering,
    Turns,
    Worker,
    share_layers,
    unpack_layer,
)
from local.stack.runtime import LAYERS_VARIABLE, RUNTIME_PACKAGES, provide_runtime, restrict_imports
from local.stack.runtime_process import RuntimeProcess, Subprocess

SERVICE, SCORING = (f"arn:aws:lambda:us-east-1:000000000000:layer:{name}:1" for name in "ab")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder of one cloud's own files, below that of all clouds."""
    folder = tmp_path / "cloud" / "tmp"
    folder.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(lambda_workers, "LAYERS", tmp_path / "layers")
    return folder


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


def test_clouds_share_what_is_unpacked_until_none_uses_it(tmp_path, monkeypatch, scratch):
    one, two = unpack_layer(SERVICE, archive("one")), unpack_layer(SCORING, archive("two"))
    (one / "python" / "one.py").write_text("of the first cloud")
    other = tmp_path / "other" / "tmp"
    other.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(other))
    assert unpack_layer(SCORING, archive("one")) == one
    assert (one / "python" / "one.py").read_text() == "of the first cloud"
    shutil.rmtree(scratch)
    three = unpack_layer(SERVICE, archive("three"))
    assert {each for each in one.parent.iterdir() if each.is_dir()} == {one, three}
    assert not two.exists()


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


def test_the_queues_are_read_when_further_messages_have_come(monkeypatch):
    told: list[float] = []
    monkeypatch.setattr("time.sleep", told.append)
    has_come = threading.Event()
    gathering = Gathering(has_come)
    assert not gathering.wait(0.001)
    assert told == []
    has_come.set()
    assert gathering.wait(1)
    assert told == [GATHERING_SECONDS]
    gathering.clear()
    assert not has_come.is_set()
    gathering.set()
    assert has_come.is_set()


CODE = """
import os
IMPORTED_IN = os.getpid()
def handle(event, context):
    return [IMPORTED_IN, os.getpid(), os.environ["SETTING"], event]
"""


@pytest.fixture(scope="module")
def runtime():
    process = RuntimeProcess("")
    yield process
    process.stop()


@pytest.fixture
def make_worker(monkeypatch, runtime):
    """Workers of a function of these settings, which end with the test."""
    monkeypatch.setattr(lambda_workers, "_templates", Templates())
    script = TEMPLATE_SCRIPT + lambda_runtime._PYTHON_WORKER_SCRIPT
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", script)
    monkeypatch.setattr(lambda_runtime, "subprocess", Subprocess(runtime))
    mappings = [("0" * 12, "us-east-1", {"FunctionName": "fed"})]
    monkeypatch.setattr("ministack.services.lambda_svc._iter_all_esms", lambda: iter(mappings))
    made = []

    def make(name="asked", setting="one", code=CODE, **variables):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            file.writestr("app.py", code)
        config = {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "Handler": "app.handle",
            "Runtime": "python3.13",
            "Timeout": 60,
            "Environment": {"Variables": {"SETTING": setting, **variables}},
        }
        made.append(Worker(name, config, content.getvalue()))
        return made[-1]

    yield make
    lambda_runtime.kill_workers([*made, *lambda_workers._templates._templates.values()])


def call(worker, event="event"):
    answer = worker.invoke(event, "request")
    assert answer["status"] == "ok", answer
    return answer["result"]


def test_workers_of_a_function_are_forked_from_one_process_that_has_imported_it(make_worker):
    workers = [make_worker(), make_worker()]
    (imported_in, one, *told), (again, other, *_) = (call(each) for each in workers)
    assert told == ["one", "event"]
    assert imported_in == again
    assert len({imported_in, one, other}) == 3
    assert [each._proc.pid for each in workers] == [one, other]
    assert call(workers[0], "next") == [imported_in, one, "one", "next"]


def test_a_worker_that_died_is_forked_anew_and_another_version_imported(make_worker):
    worker = make_worker()
    imported_in, pid, *_ = call(worker)
    assert worker._proc.poll() is None
    worker._proc.kill()
    worker._proc.wait(60)
    assert worker._proc.poll() is not None
    again, other, *_ = call(worker)
    assert again == imported_in
    assert other != pid
    changed, _, setting, _ = call(make_worker(setting="two"))
    assert (changed != imported_in, setting) == (True, "two")


def test_a_process_that_was_killed_forks_no_more_and_is_replaced(make_worker):
    imported_in, *_ = call(make_worker())
    lambda_workers._templates._templates["asked"]._proc.kill()
    lambda_workers._templates._templates["asked"]._proc.wait(60)
    assert call(make_worker())[0] != imported_in


IMPORTING = """
import os, sys
PARENT = os.getppid()
KNOWN = "boto3" in sys.modules
def handle(event, context):
    return [KNOWN, PARENT, os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["SETTING"]]
"""


def test_functions_start_in_processes_forked_from_one_that_has_imported_the_runtime(make_worker):
    one, other = (call(make_worker(each, setting=each, code=IMPORTING)) for each in ("f", "g"))
    assert (one[0], one[2:]) == (True, ["f", "f"])
    assert (other[0], other[2:]) == (True, ["g", "g"])
    assert one[1] == other[1] != os.getpid()


LAYERED = """
import sys
KNOWN = "assessment.bootstrap" in sys.modules
from assessment import bootstrap
def handle(event, context):
    return [KNOWN, *bootstrap.IMPORTED, sys.path.count(bootstrap.IMPORTED[1])]
"""
BOOTSTRAP = """
import os, sys
IMPORTED = [os.getpid(), sys.path[1], os.environ.get("SETTING")]
"""


def test_functions_of_the_same_layers_start_in_processes_that_have_imported_these(
    make_worker, runtime, tmp_path
):
    one, other = (tmp_path / name for name in ("one", "other"))
    for layer in (one, other):
        place = layer / "python" / "assessment" / "bootstrap"
        place.mkdir(parents=True)
        (place.parent / "__init__.py").touch()
        (place / "__init__.py").write_text(BOOTSTRAP)

    def import_layer(name, layer):
        return call(make_worker(name, name, LAYERED, **{LAYERS_VARIABLE: str(layer)}))

    first, second, third = (import_layer(*each) for each in (("f", one), ("g", one), ("h", other)))
    # No environment of a function was there when they were imported, and none is left of the path.
    assert first == second == [True, first[1], str(one / "python"), None, 1]
    assert third == [True, third[1], str(other / "python"), None, 1]
    assert first[1] != third[1]
    assert call(make_worker("i", code=IMPORTING.replace("boto3", "assessment")))[0] is False
    runtime._with_layers[str(one)].kill()
    runtime._with_layers[str(one)].wait(60)
    assert import_layer("j", one)[1] not in {first[1], third[1]}


READING = """
import boto3
from botocore.loaders import JSONFileLoader
def handle(event, context):
    read = []
    JSONFileLoader.load_file = lambda loader, path: read.append(path)
    return [boto3.client(service).meta.service_model.service_name for service in event] + read
"""


def test_a_worker_knows_the_descriptions_of_the_usual_services(make_worker):
    worker = make_worker(code=READING)
    assert call(worker, list(DESCRIBED)) == list(DESCRIBED)


def test_a_function_that_cannot_be_imported_says_why(make_worker):
    with pytest.raises(RuntimeError, match="a setting is missing"):
        make_worker(code="raise ValueError('a setting is missing')").invoke("event", "request")


def test_a_worker_that_a_queue_feeds_yields_the_processor(make_worker):
    niceness = {}
    for name in ("fed", "asked"):
        _, pid, *_ = call(make_worker(name))
        niceness[name] = os.getpriority(os.PRIO_PROCESS, pid)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness == {"fed": min(mine + 10, 19), "asked": mine}
