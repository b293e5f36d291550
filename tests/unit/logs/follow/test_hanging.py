"""A folder of logs on a file server that is away: other logs are read, and it is read when it is back."""

import asyncio
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from xenwatch.logs.files.hanging import HangingFolders

LIBC = ctypes.CDLL(None, use_errno=True)


class Away:
    """A mounted file system that nobody answers for; whoever asks it waits until it comes back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.is_back = folder, threading.Event()
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        said = f"fd={self._device},rootmode=40000,user_id=0,group_id=0".encode()
        if LIBC.mount(b"away", os.fsencode(folder), b"fuse", 0, said):
            os.close(self._device)
            pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
        self._rescue = threading.Timer(20, self.come_back)
        self._rescue.start()

    def come_back(self) -> None:
        if not self.is_back.is_set():
            self.is_back.set()
            self._rescue.cancel()
            os.close(self._device)
            LIBC.umount2(os.fsencode(self.folder), 2)


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    if os.geteuid() or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("needs root and FUSE")
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "xl-db.log").write_text("there\n")
    mounted = Away(tmp_path / "away")
    yield mounted
    mounted.come_back()


async def test_a_folder_that_hangs_keeps_no_other_log_from_being_read(make_rig, tmp_path, away):
    (tmp_path / "xl-web.log").write_text("here\n")
    rig = make_rig(patterns=("*.log", "away/*.log"))
    await rig.look()
    assert rig.text() == b"here\n"
    rig.write("and on\n", tmp_path / "xl-web.log")
    await rig.advance(1)
    assert rig.text() == b"here\nand on\n"
    assert not away.is_back.is_set()


async def test_it_is_read_when_it_answers_again(make_rig, tmp_path, away, caplog):
    rig = make_rig(patterns=("away/*.log",))
    await rig.look()
    assert "away does not answer" in caplog.text
    away.come_back()
    await asyncio.sleep(0.1)
    await rig.advance(1)
    assert rig.text() == b"there\n"


async def test_what_answers_or_is_not_there_does_not_hang(tmp_path):
    folders = HangingFolders()
    await folders.ask([str(tmp_path), str(tmp_path / "no"), "/proc/self"])
    assert folders.all == frozenset()
    assert not folders.holds(f"{tmp_path}/x")
