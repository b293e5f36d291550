"""One file under several names, and one log in several files with names of logs: every line comes once."""

import os
import shutil

import pytest

pytestmark = pytest.mark.usefixtures("any_file_system")

LINES = [f"[2026-07-30 10:00:{number:02}] line {number}\n" for number in range(40)]


def dated(rig, day: int = 30):
    return rig.path.with_name(f"xend-202607{day}.log")


async def test_a_rotation_that_keeps_the_extension_is_no_new_log(rig):
    for number in range(3):
        rig.write(LINES[number])
        await rig.look()
        rig.write(LINES[number + 10])
        rig.path.rename(dated(rig, 20 + number))
        rig.path.touch()
        await rig.advance(1)
    await rig.advance(61)
    await rig.advance(61)
    assert rig.text() == "".join(LINES[n] for n in (0, 10, 1, 11, 2, 12)).encode()
    assert {chunk.source.path for chunk in rig.chunks} == {str(rig.path)}


@pytest.mark.parametrize("name", ["xend-20260730.log", "xend.1.log", "xend.log-20260730.log"])
async def test_such_a_rotation_while_down_loses_and_doubles_nothing(rig, name):
    rig.write(LINES[0])
    await rig.look()
    rig.stop()
    rig.write(LINES[1])
    rig.path.rename(rig.path.with_name(name))
    rig.write(LINES[2])
    rig.start()
    await rig.advance(1)
    await rig.advance(1)
    assert rig.text() == "".join(LINES[:3]).encode()


async def test_copytruncate_with_the_extension_kept_is_read_on_in_the_copy(rig):
    rig.write("".join(LINES[:5]))
    await rig.look()
    rig.write(LINES[5])
    shutil.copy(rig.path, dated(rig))
    os.truncate(rig.path, 0)
    rig.write(LINES[6])
    await rig.advance(1)
    await rig.advance(1)
    assert sorted(rig.text().splitlines(keepends=True)) == [line.encode() for line in LINES[:7]]


async def test_a_rename_before_the_new_file_is_there_goes_on_under_the_new_name(rig):
    rig.write(LINES[0])
    await rig.look()
    rig.path.rename(dated(rig))
    await rig.advance(1)
    rig.write(LINES[1], dated(rig))
    rig.write(LINES[2])
    await rig.advance(1)
    await rig.advance(61)
    assert sorted(rig.text().splitlines(keepends=True)) == [line.encode() for line in LINES[:3]]


async def test_a_guest_named_like_a_rotation_has_a_log_of_its_own(make_rig, tmp_path):
    rig = make_rig(directory=tmp_path)
    one, other = tmp_path / "qemu-dm-backup.log", tmp_path / "qemu-dm-backup.1.log"
    rig.write("char device redirected to /dev/pts/3\n", one)
    await rig.look()
    rig.write("qemu-system-i386: could not open disk image\n", other)
    await rig.advance(1)
    assert rig.text(other) == b"qemu-system-i386: could not open disk image\n"


@pytest.mark.parametrize("link", [os.link, os.symlink])
async def test_two_names_of_one_file_are_one_log(rig, link):
    rig.write(LINES[0])
    link(rig.path, rig.path.with_name("latest.log"))
    await rig.look()
    rig.write(LINES[1])
    await rig.advance(1)
    rig.stop()
    rig.start()
    rig.write(LINES[2])
    await rig.advance(1)
    assert rig.text() == "".join(LINES[:3]).encode()


async def test_the_name_that_stays_is_read_on(rig):
    other = rig.path.with_name("zz.log")
    rig.write(LINES[0])
    os.link(rig.path, other)
    await rig.look()
    rig.path.unlink()
    rig.write(LINES[1], other)
    await rig.advance(1)
    rig.write(LINES[2], other)
    await rig.look()
    assert rig.text() == "".join(LINES[:3]).encode()


async def test_a_name_that_shows_another_file_now_is_a_log_of_its_own(rig):
    other = rig.path.with_name("zz.log")
    rig.write(LINES[0])
    os.link(rig.path, other)
    await rig.look()
    other.unlink()
    rig.write(LINES[1], other)
    await rig.advance(1)
    await rig.advance(1)
    assert rig.text() == "".join(LINES[:2]).encode()
    assert rig.text(other) == LINES[1].encode()


def replace(rig, how: str) -> None:
    copy = rig.path.with_name("copy.tmp")
    shutil.copy2(rig.path, copy) if how == "keeps its time" else shutil.copy(rig.path, copy)
    copy.replace(rig.path)


@pytest.mark.parametrize("how", ["keeps its time", "has a new time"])
async def test_a_log_replaced_by_a_copy_of_itself_is_not_read_again(rig, how):
    rig.write("".join(LINES[:5]))
    await rig.look()
    for number in range(5, 10):
        rig.write(LINES[number])
        replace(rig, how)
        await rig.advance(1)
    assert rig.text() == "".join(LINES[:10]).encode()


async def test_such_a_replacement_while_down_is_not_read_again(rig):
    rig.write("".join(LINES[:5]))
    await rig.look()
    rig.stop()
    rig.write(LINES[5])
    replace(rig, "has a new time")
    rig.write(LINES[6])
    rig.start()
    await rig.advance(1)
    assert rig.text() == "".join(LINES[:7]).encode()


async def test_what_a_daemon_writes_to_the_replaced_file_is_read_too(rig):
    rig.write(LINES[0])
    await rig.look()
    with rig.path.open("ab", buffering=0) as daemon:
        daemon.write(LINES[1].encode())
        replace(rig, "has a new time")
        daemon.write(LINES[2].encode())
        await rig.advance(1)
        daemon.write(LINES[3].encode())
        await rig.advance(1)
    assert sorted(rig.text().splitlines(keepends=True)) == [line.encode() for line in LINES[:4]]


async def test_a_new_run_that_begins_with_the_same_lines_is_read(rig):
    """With generations the file tells; on tmpfs, NFS and FUSE equal bytes are all there is, and they are the same."""
    rig.write("char device redirected to /dev/pts/3\n")
    await rig.look()
    os.utime(rig.path, (1, 1))
    await rig.advance(1)
    rig.path.rename(rig.path.with_name("gone"))
    rig.write("char device redirected to /dev/pts/3\nqemu: fatal\n")
    await rig.advance(1)
    assert rig.text().endswith(b"qemu: fatal\n")
