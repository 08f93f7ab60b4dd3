"""What only the database of one machine has: conditions against moto's own, files, and deaths."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from assessment.adapters.aws.attributes import serialize_item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.folder_content import FolderContentStore
from assessment.adapters.sqlite.conditions import holds
from assessment.adapters.sqlite.database import VERSION, Database
from assessment.adapters.sqlite.item_table import SQLiteItemTable
from assessment.domain.errors import CorruptStoreError, TransientError

KEY = {"PK": "p", "SK": "s"}
CONDITIONS = (
    "attribute_exists(PK) AND #status = :word AND attempt = :n AND sent = :flag",
    "attribute_not_exists(sent) AND (attribute_not_exists(lease_until) OR lease_until < :word)",
    "attribute_not_exists(PK) OR attempt = :n",
    "attribute_not_exists(PK) OR (attempt < :n AND lease_until <= :word)",
    "#status IN (:word, :other)",
    "attempt >= :n OR attempt > :n AND attribute_exists(sent)",
    "NOT attempt = :n AND (#status <> :word OR sent = :flag)",
)
WORDS = st.sampled_from(["a", "b", "é"])
VALUES = {
    "status": WORDS,
    "attempt": st.integers(0, 2),
    "sent": st.booleans(),
    "lease_until": WORDS,
}


@given(
    condition=st.sampled_from(CONDITIONS),
    item=st.none() | st.fixed_dictionaries({}, optional=VALUES),
    values=st.fixed_dictionaries(
        {":word": WORDS, ":other": WORDS, ":n": st.integers(0, 2), ":flag": st.booleans()}
    ),
)
def test_a_condition_means_what_it_means_to_moto(
    condition: str, item: dict[str, Any] | None, values: dict[str, Any]
) -> None:
    names = {"#status": "status"}
    stored = None if item is None else {**KEY, **item}
    reference = get_filter_expression(condition, names, serialize_item(values))
    theirs = Item(DynamoType({"S": "p"}), DynamoType({"S": "s"}), serialize_item(stored or {}))
    ours = holds(condition, stored, names=names, values=values)
    # moto lets a comparison of what is not there with <> hold, as AWS does not.
    assert ours == reference.expr(theirs) or "<>" in condition


@pytest.mark.parametrize(
    "condition", ["a = ", "a = :b c", "a ~ :b", "(a = :b", "begins_with(a, :b)", "a IN :b", ""]
)
def test_what_is_no_condition_is_refused(condition: str) -> None:
    with pytest.raises(ValueError, match=r"condition|comparator"):
        holds(condition, {"a": 1}, names=None, values={":b": 1})


def test_a_refused_write_of_two_changes_neither(sqlite_table: SQLiteItemTable) -> None:
    other = {"PK": "q", "SK": "t"}
    sqlite_table.put({**KEY, "n": 1})
    sqlite_table.put({**other, "kept": "yes"})
    with pytest.raises(ConditionFailedError) as refused:
        sqlite_table.update_and_delete(
            KEY, ItemUpdate({"n": 2}, condition="n = :no", values={":no": 7}), delete=other
        )
    assert refused.value.item == {**KEY, "n": 1}
    with pytest.raises(ConditionFailedError):
        sqlite_table.update_and_put(
            KEY,
            ItemUpdate({"n": 2}, condition="n = :yes", values={":yes": 1}),
            put=other,
            only_new=True,
        )
    assert sqlite_table.get(KEY) == {**KEY, "n": 1}
    assert sqlite_table.get(other) == {**other, "kept": "yes"}


def test_two_processes_see_what_the_other_has_committed(tmp_path: Path) -> None:
    here, there = Database(tmp_path / "cj"), Database(tmp_path / "cj")
    SQLiteItemTable(here).put({**KEY, "n": 1})
    SQLiteItemTable(there).update(KEY, ItemUpdate({}, add={"n": 1}))
    assert SQLiteItemTable(here).get(KEY) == {**KEY, "n": 2}
    here.close()
    there.close()


def test_writes_that_wait_for_the_disk_share_a_commit(tmp_path: Path) -> None:
    database = Database(tmp_path / "cj")
    commits: list[str] = []
    database._connection.set_trace_callback(
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    with ThreadPoolExecutor(20) as pool:
        # Nobody can commit before all wait.
        with database._lock:
            writes = [
                pool.submit(database.write_many_durably, _ITEM, [("p", f"{n:02d}", "{}")])
                for n in range(20)
            ]
            while len(database._waiting) < len(writes):
                sleep(0.001)
        for write in writes:
            write.result()
    assert commits == ["COMMIT"]
    assert len(database.read("SELECT sk FROM items")) == len(writes)
    assert database.read("PRAGMA synchronous") == [(1,)]
    database.close()


def test_a_write_that_cannot_be_made_keeps_no_other_back(tmp_path: Path) -> None:
    database = Database(tmp_path / "cj")
    with ThreadPoolExecutor(2) as pool:
        with database._lock:
            wrong = pool.submit(database.write_many_durably, _ITEM, [("p", None, "{}")])
            right = pool.submit(database.write_many_durably, _ITEM, [("p", "kept", "{}")])
            while len(database._waiting) < 2:
                sleep(0.001)
        right.result()
        with pytest.raises(sqlite3.IntegrityError):
            wrong.result()
    assert database.read("SELECT sk FROM items") == [("kept",)]
    database.close()


_ITEM = "INSERT INTO items VALUES (?, ?, ?)"
_KILLED = """
import os, pathlib, sys
from assessment.adapters.sqlite.database import Database
database = Database(pathlib.Path(sys.argv[1]))
database.write("INSERT INTO items VALUES ('p', 'kept', '{}')")
with database.transaction() as connection:
    connection.execute("INSERT INTO items VALUES ('p', 'lost', '{}')")
    os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_within_a_transaction_has_written_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cj"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False)
    assert killed.returncode == -9
    database = Database(path)
    assert database.read("SELECT sk FROM items") == [("kept",)]
    database.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes, and they are longer than a header. " * 10)
    with pytest.raises(CorruptStoreError, match=r"notes\.txt"):
        Database(path)


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cj"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(CorruptStoreError, match="newer version"):
        Database(path)


def test_a_write_that_the_disk_refuses_may_be_tried_again(database: Database) -> None:
    database.write("PRAGMA query_only=ON")
    with pytest.raises(TransientError, match="readonly"):
        database.write("INSERT INTO tokens VALUES ('t', NULL)")
    with pytest.raises(TransientError), database.transaction() as connection:
        connection.execute("INSERT INTO tokens VALUES ('t', NULL)")


def test_a_document_is_whole_or_the_old_one(tmp_path: Path) -> None:
    store = FolderContentStore(tmp_path)
    store.put_document("batches/b/result.json", "old")
    store.put_document("batches/b/result.json", "new")
    assert [path.name for path in (tmp_path / "batches/b").iterdir()] == ["result.json"]
    (tmp_path / "file").write_text("")
    with pytest.raises(TransientError, match="cannot be written"):
        store.put_document("file/inside.json", "x")
