"""What happens to a disk: bits flip, the power goes, the file system turns read-only. The agent starts, and goes on."""

import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.base.errors import StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.store import Store

FLIPS = 60
HEADER = 100
"""Bytes at the beginning of a database of SQLite that say what it is."""


def open_store(state_dir: Path) -> Store:
    return Store(state_dir, now=lambda: 1000.0)


@pytest.fixture
def written(tmp_path: Path, incident: Incident) -> bytes:
    store = open_store(tmp_path / "first")
    known = [replace(incident, id=f"i{n}") for n in range(40)]
    store.commit({f"log{n}": n for n in range(20)}, {"windows": list(range(50))}, known)
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return (tmp_path / "first" / FILE_NAME).read_bytes()


def starts_with(state_dir: Path, data: bytes, incident: Incident) -> None:
    """An agent reads it, writes, and another one reads what it wrote."""
    shutil.rmtree(state_dir, ignore_errors=True)
    state_dir.mkdir()
    (state_dir / FILE_NAME).write_bytes(data)
    store = open_store(state_dir)
    try:
        store.load()
        try:
            store.commit({"new": 1}, {}, [incident])
        except StoreError:  # found out now only: it was replaced, and the writer hands in everything again
            assert store.moved_aside
            store.commit({"new": 1}, {}, [incident])
    finally:
        store.close()
    again = open_store(state_dir)
    assert again.load().cursors["new"] == 1
    again.close()


def test_whichever_bit_flips_the_agent_starts_and_goes_on(tmp_path: Path, written: bytes, incident: Incident) -> None:
    dice = random.Random(13)
    for _ in range(FLIPS):
        flipped = bytearray(written)
        place = dice.randrange(HEADER, len(written))
        flipped[place] ^= 1 << dice.randrange(8)
        starts_with(tmp_path / "flipped", bytes(flipped), incident)


def test_a_bit_of_the_header_too_unless_it_makes_a_version_that_is_newer(
    tmp_path: Path, written: bytes, incident: Incident
) -> None:
    for place in range(HEADER):
        flipped = bytearray(written)
        flipped[place] ^= 0x40
        try:
            starts_with(tmp_path / "flipped", bytes(flipped), incident)
        except StoreError as refused:
            assert "upgrade it" in str(refused)  # noqa: PT017  most flips are no error at all


def test_after_a_power_cut_the_state_is_one_of_those_that_were_committed(tmp_path: Path, incident: Incident) -> None:
    store = open_store(tmp_path / "first")
    store._connection.execute("PRAGMA wal_autocheckpoint = 0")
    for n in range(1, 9):
        store.commit({f"log{k}": n for k in range(n)}, {"n": n}, [replace(incident, id=f"i{n}")])
    database = (tmp_path / "first" / FILE_NAME).read_bytes()
    log = (tmp_path / "first" / f"{FILE_NAME}-wal").read_bytes()
    store.close()
    found = set()
    for end in [*range(0, len(log), 3001), len(log)]:
        for torn in (b"", b"\0" * 512):
            cut = tmp_path / "cut"
            shutil.rmtree(cut, ignore_errors=True)
            cut.mkdir()
            (cut / FILE_NAME).write_bytes(database)
            (cut / f"{FILE_NAME}-wal").write_bytes(log[:end] + torn)
            again = open_store(cut)
            saved = again.load()
            n = len(saved.incidents)
            assert (len(saved.cursors), saved.correlation.get("n", 0)) == (n, n)
            assert again.moved_aside == 0
            again.close()
            found.add(n)
    assert found == set(range(9))


def test_a_state_disk_that_turns_read_only_costs_no_state_and_is_written_again_when_it_can_be(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.commit({"a": 1}, {}, [])
    store._connection.execute("PRAGMA query_only = 1")  # SQLITE_READONLY, as on such a file system
    with pytest.raises(StoreError, match="readonly"):
        store.commit({"a": 2}, {}, [])
    assert store.moved_aside == 0
    store._connection.execute("PRAGMA query_only = 0")
    store.commit({"a": 3}, {}, [])
    store.close()
    again = open_store(tmp_path)
    assert again.load().cursors == {"a": 3}
    again.close()


MOUNTED = """
import subprocess, sys
from pathlib import Path
from xenwatch.base.errors import StoreError
from xenwatch.state.store import Store

subprocess.run(["mount", "-t", "tmpfs", "none", sys.argv[1]], check=True)
Store(Path(sys.argv[1]), now=lambda: 1000.0).close()
subprocess.run(["mount", "-o", "remount,ro", sys.argv[1]], check=True)
try:
    Store(Path(sys.argv[1]), now=lambda: 1000.0)
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, to mount")
def test_an_agent_that_starts_on_a_read_only_file_system_says_so(tmp_path: Path) -> None:
    argv = ["unshare", "-m", sys.executable, "-c", MOUNTED, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    if "mount" in done.stderr:
        pytest.skip("may not mount here")
    assert "Read-only file system" in done.stdout or "readonly" in done.stdout
