"""A folder of a user with less rights: what that user puts there decides nothing about the rest of the machine."""

import os
import stat
from pathlib import Path

import pytest

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import StoreError
from xenwatch.base.private_file import close_to_others, rights_of_owner
from xenwatch.remediation.store.run_store import RunStore

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """That of the agent; everybody may come as far as there."""
    for parent in (tmp_path, *tmp_path.parents):
        if not mode(parent) & stat.S_IXOTH:
            parent.chmod(0o755)
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    return state


def test_what_others_may_read_is_closed_to_them(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o664)
    close_to_others(tmp_path / "f")
    assert mode(tmp_path / "f") == 0o660


def test_a_link_chooses_no_file_to_be_closed_or_made(tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0")
    (tmp_path / "passwd").chmod(0o644)
    (tmp_path / "f").symlink_to("passwd")
    (tmp_path / "g").symlink_to("nologin")
    (tmp_path / "h").hardlink_to(tmp_path / "passwd")
    for name in "fgh":
        close_to_others(tmp_path / name)
    assert mode(tmp_path / "passwd") == 0o644
    assert not (tmp_path / "nologin").exists()


@as_root
def test_a_command_of_root_makes_no_file_where_a_link_of_the_agent_leads(folder, tmp_path):
    (folder / "remediation.db").symlink_to(tmp_path / "nologin")
    with pytest.raises(StoreError):
        RunStore(folder / "remediation.db", SystemClock(), "b")
    assert not (tmp_path / "nologin").exists()


@as_root
def test_a_command_of_root_opens_no_database_of_somebody_else_for_the_agent(folder, tmp_path):
    RunStore(tmp_path / "roots.db", SystemClock(), "b").close()
    (folder / "remediation.db").symlink_to(tmp_path / "roots.db")
    with pytest.raises(StoreError):
        RunStore(folder / "remediation.db", SystemClock(), "b")


@as_root
def test_what_a_command_of_root_makes_there_is_the_agents(folder):
    RunStore(folder / "remediation.db", SystemClock(), "b").close()
    assert (folder / "remediation.db").stat().st_uid == NOBODY
    assert mode(folder / "remediation.db") == 0o640


@as_root
def test_the_rights_come_back(folder, tmp_path):
    with rights_of_owner(folder), pytest.raises(PermissionError):
        (tmp_path / "x").write_text("")
    (tmp_path / "x").write_text("")
