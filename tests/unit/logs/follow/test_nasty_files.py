"""What files can hold and be: long lines, NUL bytes, no permission, no directory yet, overwritten in place."""

import os
import shutil

import pytest

from tests.unit.logs.follow.conftest import FORMAT
from xenwatch.logs.files.file_reader import PIECE_BYTES, fresh_end
from xenwatch.logs.files.spool import LONGEST_BYTES, Spool
from xenwatch.logs.format import recognise
from xenwatch.model.record import Source


async def test_nul_bytes_and_invalid_utf8_come_through_as_they_are(rig):
    rig.write(b"\0\0\xff\xfe\n\xc3(\n")
    await rig.look()
    assert rig.text() == b"\0\0\xff\xfe\n\xc3(\n"


async def test_a_line_of_ten_megabytes_comes_in_bounded_pieces_and_is_counted(rig):
    line = b"x" * (10 << 20) + b"\n"
    rig.write(line + b"next\n")
    await rig.look()
    assert rig.text() == line + b"next\n"
    assert max(len(chunk.data) for chunk in rig.chunks) <= PIECE_BYTES
    assert rig.counters.lines == 2
    assert rig.counters.cut_lines == 40


async def test_chunks_of_a_large_file_end_with_a_whole_line(rig):
    rig.write(b"".join(b"line %d\n" % number for number in range(100_000)))
    await rig.look()
    assert len(rig.chunks) > 1
    assert all(chunk.data.endswith(b"\n") for chunk in rig.chunks)
    starts = [chunk.position.line for chunk in rig.chunks]
    assert all(
        chunk.data.startswith(b"line %d\n" % (start - 1)) for chunk, start in zip(rig.chunks, starts, strict=True)
    )


async def test_a_directory_that_appears_later_is_followed(make_rig, tmp_path):
    rig = make_rig(directory=tmp_path / "xen")
    await rig.look()
    rig.directory.mkdir()
    rig.write("a\n")
    await rig.look()
    shutil.rmtree(rig.directory)
    await rig.look()
    rig.directory.mkdir()
    rig.write("b\n")
    await rig.look()
    assert rig.text() == b"a\nb\n"


async def test_a_file_unreadable_for_a_while_is_read_when_it_can_be(rig, monkeypatch):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    rig.write("b\n")
    really_open = os.open
    refused = {str(rig.path)}

    def open_or_refuse(path, *rest, **more):
        if path in refused:
            raise PermissionError(13, "Permission denied", path)
        return really_open(path, *rest, **more)

    monkeypatch.setattr(os, "open", open_or_refuse)
    await rig.look()
    assert rig.text() == b"a\n"
    assert rig.counters.read_errors > 0
    refused.clear()
    await rig.advance(1)
    assert rig.text() == b"a\nb\n"


async def test_an_unreadable_rotated_file_is_not_forgotten_and_not_read_twice(rig, monkeypatch):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    await rig.look()
    await rig.advance(61)
    really_open = os.open
    refused = {str(rig.path) + ".2"}

    def open_or_refuse(path, *rest, **more):
        if path in refused:
            raise PermissionError(13, "Permission denied", path)
        return really_open(path, *rest, **more)

    monkeypatch.setattr(os, "open", open_or_refuse)
    rig.write("b\n")
    rig.rotate()
    await rig.look()
    refused.clear()
    await rig.advance(1)
    assert rig.text() == b"a\nb\n"


async def test_a_fifo_or_a_directory_among_the_logs_is_passed_over(rig):
    os.mkfifo(rig.directory / "fifo.log")
    (rig.directory / "directory.log").mkdir()
    rig.write("a\n")
    await rig.look()
    assert rig.text() == b"a\n"


async def test_a_file_that_no_dialect_knows_is_asked_about_again_when_it_grows(rig):
    def open_source(path, head, known=rig.open_source):
        return known(path, head) if b"xend" in head else None

    rig.open_source = open_source
    rig.write("?\n")
    await rig.look()
    assert rig.text() == b""
    rig.write("xend\n")
    await rig.look()
    assert rig.text() == b"?\nxend\n"


async def test_each_log_is_known_by_its_own_path(rig):
    other = rig.directory / "qemu-dm-web.log"
    rig.write("a\n")
    rig.write("b\n", other)
    rig.write("old b\n", rig.directory / "qemu-dm-web.log.1")
    rig.write("not wanted\n", rig.directory / "notes.txt")
    await rig.look()
    assert (rig.text(rig.path), rig.text(other)) == (b"a\n", b"old b\nb\n")
    assert len(rig.follower.cursors()) == 2


async def test_the_lag_is_what_was_not_handed_on(rig):
    rig.write("a\nhalf")
    await rig.look()
    assert rig.counters.lag_bytes == 4
    rig.write("\n")
    await rig.look()
    assert (rig.counters.lag_bytes, rig.counters.lines, rig.counters.bytes) == (0, 2, 7)
    assert rig.counters.last_read == rig.clock.now()


async def test_a_log_overwritten_from_its_start_gives_only_the_new_lines(make_rig, tmp_path):
    """xend 3.0.3 opens xend-debug.log without O_TRUNC and without O_APPEND."""
    rig = make_rig(patterns=("*.log",), spool_directory=tmp_path / "spool", overwritten=("xend.log",))
    old = b"Xend started at Mon.\nException starting xend: no hypervisor\nmore of it\n"
    rig.write(old)
    await rig.look()
    with rig.path.open("r+b", buffering=0) as log:
        log.write(b"Xend started at Tue.\n")
        await rig.advance(1)
        log.write(b"ERROR Internal error\n")
        await rig.advance(1)
        rig.stop()
        rig.start()
        log.write(b"another\n")
        await rig.advance(1)
        assert rig.text() == old + b"Xend started at Tue.\nERROR Internal error\nanother\n"
        log.write(b"and so on, until the old content is gone altogether\n")
        await rig.advance(1)
    assert rig.text().endswith(b"another\nand so on, until the old content is gone altogether\n")


async def test_the_previous_content_of_a_log_started_over_is_kept(make_rig, tmp_path):
    rig = make_rig(spool_directory=tmp_path / "spool", overwritten=("xend.log",))
    for run in (b"first run, long\n", b"second\n", b"third\n"):
        rig.path.write_bytes(run)
        await rig.look()
    spool = Spool(tmp_path / "spool", str(rig.path))
    assert spool.previous() == [b"second\n", b"first run, long\n"]
    assert spool.content() == b"third\n"
    assert rig.text() == b"first run, long\nsecond\nthird\n"


def test_the_kept_copy_is_bounded(tmp_path):
    spool = Spool(tmp_path, "/var/log/x.log")
    for offset in range(0, 4 * LONGEST_BYTES, LONGEST_BYTES // 2):
        spool.keep(offset, b"x" * (LONGEST_BYTES // 2))
    assert len(spool.content()) == LONGEST_BYTES
    for _ in range(10):
        spool.turn(overlay=True)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 4 * LONGEST_BYTES


def test_a_copy_whose_start_was_never_read_is_not_kept(tmp_path):
    spool = Spool(tmp_path, "/var/log/x.log")
    spool.keep(100, b"the end\n")
    assert spool.content() == b""


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        (b"aaa\nbbb\n", b"aaa\nbbb\n", 0),
        (b"aaa\nbbb\n", b"xaa\nbbb\n", 4),
        (b"aaa\nbbb\n", b"aaa\nbbx\n", 8),
        (b"aaa\nbbb", b"aaa\nbxb", 7),
        (b"aaa\nbbb\n", b"x\na\nbbb\n", 2),
    ],
)
def test_the_fresh_part_ends_with_the_line_of_the_last_change(old, new, end):
    assert fresh_end(old, new) == end


async def test_a_read_that_fails_half_way_is_tried_again_though_the_file_does_not_change(rig, monkeypatch):
    rig.write(b"line\n" * 100_000)
    await rig.look()
    rig.write(b"more\n" * 200_000)
    really_read, left = os.pread, [5]

    def read_a_few_times(*where):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "Input/output error")
        return really_read(*where)

    monkeypatch.setattr(os, "pread", read_a_few_times)
    for _ in range(3):
        await rig.advance(1)
    assert rig.counters.read_errors > 0
    left[0] = 1_000_000
    await rig.advance(1)
    assert rig.text() == b"line\n" * 100_000 + b"more\n" * 200_000


async def test_nul_bytes_at_the_head_do_not_hide_what_comes_behind_them(rig):
    """copytruncate under a writer without O_APPEND leaves a hole as long as what was there."""
    rig.open_source = lambda path, head: Source(path, FORMAT) if recognise(path, head).format else None
    with rig.path.open("wb") as log:
        log.truncate(300_000)
    await rig.look()
    assert not rig.chunks
    rig.write("[2026-07-30 10:00:00 1] ERROR (XendDomain:1) no\n")
    await rig.look()
    assert rig.text().lstrip(b"\0") == b"[2026-07-30 10:00:00 1] ERROR (XendDomain:1) no\n"


async def test_written_nul_bytes_do_not_either(rig):
    rig.open_source = lambda path, head: Source(path, FORMAT) if recognise(path, head).format else None
    rig.write(b"\0" * 70_000 + b"text\n")
    await rig.look()
    assert rig.text().lstrip(b"\0") == b"text\n"


async def test_a_binary_file_is_not_read(rig):
    rig.open_source = lambda path, head: Source(path, FORMAT) if recognise(path, head).format else None
    rig.write(b"\x7fELF" + bytes(range(256)) * 400)
    await rig.look()
    assert not rig.chunks
