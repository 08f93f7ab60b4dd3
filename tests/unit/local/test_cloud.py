"""The laptop cloud's addresses, environment and build, without starting it."""

import platform
import stat
import subprocess
import sys
import zipfile

import pytest

from local.stack import addresses, deploy, processes
from local.stack import cloud as clouds
from local.stack.cloud import Cloud
from local.stack.invoke import find_event, logical_id
from local.stack.processes import LocalCloudError, Server
from runner.stack import reachable_url


@pytest.fixture
def cloud():
    return Cloud(Server("cloud", 1, 4999, "", {"AUTH": "false"}))


def test_an_aws_api_address_becomes_the_laptops(cloud):
    aws = "https://abc123.execute-api.us-east-1.amazonaws.com/live"
    reachable = "http://127.0.0.1:4999/_aws/execute-api/abc123/live"
    assert reachable_url(aws, cloud.aws) == reachable
    assert reachable_url(f"{aws}/v1/callbacks?a=b", cloud.aws) == f"{reachable}/v1/callbacks?a=b"


def test_another_address_is_left_alone(cloud):
    assert (
        reachable_url("https://example.org/live?a=b", cloud.aws) == "https://example.org/live?a=b"
    )


def test_clients_are_led_away_from_real_accounts(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    environment = clouds.client_environment("http://127.0.0.1:4999")
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4999"


@pytest.mark.parametrize("bad", ["0", "65536", "web", "-1", "45.6"])
@pytest.mark.parametrize(
    ("variable", "read"),
    [
        ("CJ_PORT", addresses.cloud_port),
        ("CJ_JUDGE_PORT", addresses.judge_port),
    ],
)
def test_a_port_that_is_none_is_named(monkeypatch, variable, read, bad):
    monkeypatch.setenv(variable, bad)
    with pytest.raises(LocalCloudError, match=variable):
        read()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "ROOT", tmp_path)
    monkeypatch.setattr(processes, "STATE", tmp_path / ".local")
    for name in ("functions", "layers", "statemachine"):
        (tmp_path / name).mkdir()
    (tmp_path / "template.yaml").write_text("Resources: {}")
    (tmp_path / "samconfig.toml").write_text("version = 0.1")
    (tmp_path / "functions" / "app.py").write_text("x = 1")
    return tmp_path


def fake_sam(project, monkeypatch, script):
    program = project / "sam"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(deploy, "SAM", str(program))


def test_the_digest_follows_sources_and_not_caches(project):
    before = deploy.source_digest()
    (project / "functions" / "__pycache__").mkdir()
    (project / "functions" / "__pycache__" / "app.pyc").write_bytes(b"1")
    assert deploy.source_digest() == before
    (project / "functions" / "app.py").write_text("x = 2")
    changed = deploy.source_digest()
    assert changed != before
    (project / "functions" / "app.py").rename(project / "functions" / "other.py")
    assert deploy.source_digest() != changed


def test_an_unchanged_build_is_not_built_again(project, monkeypatch):
    script = "mkdir -p .aws-sam/build; cp template.yaml .aws-sam/build"
    fake_sam(project, monkeypatch, f'echo "$1" >> calls; {script}')
    deploy.build()
    deploy.build()
    assert (project / "calls").read_text() == "build\n"
    (project / "functions" / "app.py").write_text("x = 2")
    deploy.build()
    assert (project / "calls").read_text() == "build\nbuild\n"


def test_layers_are_packed_as_they_were_built(project):
    built = project / deploy.BUILT
    files = {"python/pack/age.py": "x = 1", "python/pack/none/data.txt": "words " * 100}
    for name, text in files.items():
        (built / "SomeLayer" / name).parent.mkdir(parents=True, exist_ok=True)
        (built / "SomeLayer" / name).write_text(text)
    template = "ContentUri: {}\nCodeUri: SomeFunction\n"
    (built / "template.yaml").write_text(template.format("SomeLayer"))
    deploy.pack_layers()
    assert (project / deploy.PACKED).read_text() == template.format("SomeLayer.zip")
    with zipfile.ZipFile(built / "SomeLayer.zip") as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == files


def test_layers_bring_the_bytecode_of_what_functions_import(project, tmp_path):
    built = project / deploy.BUILT
    for name, text in {
        "SomeLayer/python/pack/__init__.py": "from pack.age import x",
        "SomeLayer/python/pack/age.py": "x = 'compiled'",
        "SomeLayer/python/pack/unused.py": "x = 1",
        "SomeFunction/app.py": "import boto3, pack",
        "OtherFunction/app.py": "import nothing_of_the_kind",
        "template.yaml": "ContentUri: SomeLayer\n",
    }.items():
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text(text)
    deploy.pack_layers()
    assert not [*built.rglob("*.pyc")], "the build is what goes to AWS"
    with zipfile.ZipFile(built / "SomeLayer.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = tmp_path / "unpacked" / "python"
    names = sorted(file.name.partition(".")[0] for file in unpacked.rglob("*.pyc"))
    assert names == ["__init__", "age"]
    # Only whoever takes the bytecode does not see the change.
    (unpacked / "pack" / "age.py").write_text("x = 'read again'")
    shown = subprocess.run(
        [sys.executable, "-c", "import pack; print(pack.x)"],
        cwd=unpacked, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown == "compiled\n"


def test_a_failed_build_shows_its_end_and_is_tried_again(project, monkeypatch):
    fake_sam(project, monkeypatch, "echo the template is wrong; exit 3")
    for _ in range(2):
        with pytest.raises(deploy.BuildFailedError, match="the template is wrong"):
            deploy.build()


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "x86_64"), ("arm64", "arm64"), ("aarch64", "arm64")]
)
def test_layers_are_built_for_this_machine(monkeypatch, machine, name):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert deploy.architecture() == name


def test_functions_go_by_their_folder():
    assert logical_id("score_batch") == "ScoreBatchFunction"
    with pytest.raises(LocalCloudError, match="score_batch"):
        find_event("no_such_function", None)
