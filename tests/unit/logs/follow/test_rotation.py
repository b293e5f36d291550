"""Files are renamed, copied, truncated and removed under the follower: every line comes once."""

import os

import pytest

SAME = "libxl: debug: watch w=7: deregister unregistered\n"

pytestmark = pytest.mark.usefixtures("any_file_system")


async def test_lines_written_before_and_after_a_rotation_come_once(rig):
    rig.write("a\n")
    await rig.look()
    rig.write("b\n")
    rig.rotate()
    rig.write("c\n")
    await rig.look()
    assert rig.text() == b"a\nb\nc\n"
    assert rig.counters.rotations == 1


async def test_several_rotations_between_two_looks_lose_nothing(rig):
    rig.write("0\n")
    await rig.look()
    for number in range(1, 5):
        rig.write(f"{number}\n")
        rig.rotate()
    rig.write("last\n")
    await rig.look()
    assert rig.text() == b"0\n1\n2\n3\n4\nlast\n"


@pytest.mark.parametrize("pause", [1, 70], ids=["held open", "let go"])
@pytest.mark.parametrize("restart", [False, True], ids=["while it runs", "while it is down"])
async def test_a_log_that_says_the_same_after_each_rotation_is_read_whole(rig, pause, restart):
    """The new file begins as the one that the rotation removed: it is no copy of that, which was renamed before."""
    rig.write(SAME * 40)
    await rig.look()
    rig.rotate(keep=1)
    rig.write(SAME * 40)
    await rig.look()
    await rig.advance(pause)
    if restart:
        rig.stop()
    rig.rotate(keep=1)
    rig.write(SAME * 50)
    if restart:
        rig.start()
    await rig.advance(1)
    assert rig.text() == (SAME * 130).encode()


async def test_a_reused_inode_is_a_new_file(rig):
    for number in range(40):
        rig.write(f"line {number}\n" * 3)
        rig.rotate()
        if number % 3:
            await rig.look()
    await rig.look()
    assert rig.text() == b"".join(b"line %d\n" % number * 3 for number in range(40))


async def test_a_late_write_to_the_renamed_file_is_read(rig):
    rig.write("a\n")
    await rig.look()
    with rig.path.open("ab", buffering=0) as late:
        rig.rotate()
        rig.write("new\n")
        await rig.look()
        await rig.advance(50)
        late.write(b"late\n")
        await rig.advance(1)
        await rig.advance(50)
        late.write(b"later\n")
        await rig.look()
    assert rig.text() == b"a\nnew\nlate\nlater\n"


async def test_a_write_after_the_old_file_was_let_go_is_read_at_the_next_rotation(rig):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    await rig.look()
    await rig.advance(61)
    rig.write("much later\n", rig.path.with_name("xend.log.1"))
    rig.rotate()
    await rig.look()
    assert rig.text() == b"a\nmuch later\n"


async def test_the_renamed_file_is_let_go_after_a_quiet_minute(rig):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    await rig.look()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  only counted
    await rig.advance(61)
    assert len(os.listdir("/proc/self/fd")) == before - 1  # noqa: PTH208  only counted
    assert [chunk.final for chunk in rig.chunks] == [False, True]


async def test_many_rotations_in_a_minute_do_not_pile_up_open_files(rig):
    rig.write("a\n")
    await rig.look()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  only counted
    for _ in range(50):
        rig.rotate()
        await rig.look()
    assert len(os.listdir("/proc/self/fd")) < before + 12  # noqa: PTH208  only counted


async def test_copytruncate_between_two_looks_is_read_on_in_the_copy(rig):
    rig.write("a\nb\n")
    await rig.look()
    rig.write("c\n")
    rig.copytruncate()
    rig.write("d\n")
    await rig.look()
    assert rig.text() == b"a\nb\nc\nd\n"
    assert (rig.counters.truncations, rig.counters.truncations_without_copy) == (1, 0)


async def test_two_copytruncates_between_two_looks_lose_nothing(rig):
    rig.write("a\n")
    await rig.look()
    rig.write("b\n")
    rig.copytruncate()
    rig.write("c\n")
    rig.copytruncate()
    rig.write("d\n")
    await rig.look()
    assert rig.text() == b"a\nb\nc\nd\n"


async def test_a_truncated_file_that_grew_past_the_old_offset_is_read_from_its_start(rig):
    rig.write("old line\n")
    await rig.look()
    rig.copytruncate()
    rig.write("a new line that is longer than all there was\n")
    await rig.look()
    assert rig.text() == b"old line\na new line that is longer than all there was\n"


async def test_a_truncation_without_a_copy_is_counted(rig):
    rig.write("a\nb\n")
    await rig.look()
    rig.path.write_bytes(b"c\n")
    await rig.look()
    assert rig.text() == b"a\nb\nc\n"
    assert rig.counters.truncations_without_copy == 1


async def test_a_copy_still_being_made_is_not_read_twice(rig):
    rig.write("a\nb\n")
    await rig.look()
    copy = rig.path.with_name("xend.log.1")
    copy.write_bytes(b"a\n")
    rig.stop()
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nb\n"
    rig.write("c\n")
    copy.write_bytes(b"a\nb\nc\n")
    os.truncate(rig.path, 0)
    rig.write("d\n")
    await rig.advance(2)
    assert rig.text() == b"a\nb\nc\nd\n"


async def test_a_script_that_copies_over_the_same_file_each_time_loses_nothing(rig):
    copy = rig.path.with_name("xend.log.1")
    for number in range(4):
        rig.write(f"{number} read\n")
        await rig.advance(1)
        rig.write(f"{number} unread\n")
        copy.write_bytes(rig.path.read_bytes())
        os.truncate(rig.path, 0)
        await rig.advance(1)
    assert rig.text() == b"".join(b"%d read\n%d unread\n" % (n, n) for n in range(4))


async def test_a_partial_line_is_completed_later(rig):
    rig.write("half")
    await rig.look()
    assert rig.text() == b""
    rig.write(" and half\n")
    await rig.look()
    assert [chunk.data for chunk in rig.chunks] == [b"half and half\n"]


async def test_a_partial_line_that_stays_is_handed_on_and_its_rest_too(rig):
    rig.write("login: ")
    await rig.look()
    await rig.advance(6)
    assert rig.text() == b"login: "
    rig.write("root\n")
    await rig.look()
    assert rig.text() == b"login: root\n"
    assert [chunk.position.line for chunk in rig.chunks] == [1, 1]


async def test_a_partial_line_cut_by_rotation_is_handed_on(rig):
    rig.write("cut he")
    await rig.look()
    rig.rotate()
    rig.write("new\n")
    await rig.look()
    await rig.advance(6)
    assert rig.text() == b"new\ncut he"


async def test_a_removed_and_recreated_file_is_read_whole(rig):
    for number in range(20):
        rig.write(f"{number}\n")
        await rig.look()
        rig.path.unlink()
    assert rig.text() == b"".join(b"%d\n" % number for number in range(20))


async def test_a_file_moved_over_the_log_is_read_whole(rig):
    rig.write("a\n")
    await rig.look()
    other = rig.directory / "other"
    other.write_bytes(b"b\nc\n")
    other.rename(rig.path)
    await rig.look()
    assert rig.text() == b"a\nb\nc\n"


async def test_a_compressed_rotated_file_is_not_read(rig):
    rig.write("a\n")
    await rig.look()
    rig.path.with_name("xend.log.1").write_bytes(b"\x1f\x8b\x08 compressed\n")
    rig.path.with_name("xend.log.2.gz").write_bytes(b"\x1f\x8b\x08 compressed\n")
    rig.stop()
    rig.start()
    await rig.look()
    assert rig.text() == b"a\n"
