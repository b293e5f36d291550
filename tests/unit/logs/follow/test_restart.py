"""The agent was away: a new one goes on exactly where the old one stopped."""

import pytest

pytestmark = pytest.mark.usefixtures("any_file_system")


async def test_lines_written_while_down_are_read(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    rig.write("b\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nb\n"


async def test_lines_in_files_rotated_while_down_are_read_in_order(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    for number in range(4):
        rig.write(f"{number}\n")
        rig.rotate()
    rig.write("now\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\n0\n1\n2\n3\nnow\n"


async def test_rotated_files_read_before_are_not_read_again(rig):
    for number in range(8):
        rig.write(f"{number}\n")
        await rig.look()
        rig.rotate()
    rig.stop()
    rig.start()
    await rig.look()
    await rig.advance(70)
    rig.stop()
    rig.start()
    await rig.look()
    assert rig.text() == b"".join(b"%d\n" % number for number in range(8))


async def test_copytruncate_while_down_is_read_on_in_the_copy(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    rig.write("b\n")
    rig.copytruncate()
    rig.write("c\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nb\nc\n"


async def test_a_partial_line_at_the_end_is_completed_after_the_restart(rig):
    rig.write("a\nhalf")
    await rig.look()
    rig.stop()
    rig.write(" done\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nhalf done\n"


async def test_line_numbers_go_on_after_a_restart(rig):
    rig.write("1\n2\n")
    await rig.look()
    rig.stop()
    rig.write("3\n")
    rig.start()
    await rig.look()
    assert [chunk.position.line for chunk in rig.chunks] == [1, 3]
    assert len({chunk.position.generation for chunk in rig.chunks}) == 1


async def test_a_late_write_to_a_file_renamed_before_the_restart_is_read(rig):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    await rig.look()
    rig.stop()
    rig.write("late\n", rig.path.with_name("xend.log.1"))
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nlate\n"


async def test_a_device_number_that_changed_over_a_reboot_does_not_matter(rig):
    rig.write("a\n")
    await rig.look()
    rig.rotate()
    rig.write("b\n")
    await rig.look()
    rig.stop()
    for cursor in rig.cursors[str(rig.path)]:
        cursor["identity"][0] += 1
    rig.write("c\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nb\nc\n"


async def test_damaged_cursors_are_counted_and_the_others_used(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    rig.cursors["/elsewhere.log"] = [{"offset": "many"}]
    rig.cursors["/nowhere.log"] = 7
    rig.write("b\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nb\n"
    assert rig.follower.counters.bad_cursors == 2


@pytest.mark.parametrize("damaged", [None, "no list", [{"offset": "many"}]])
async def test_a_log_with_a_lost_position_is_read_from_its_end_and_that_is_said(rig, caplog, damaged):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    rig.cursors[str(rig.path)] = damaged
    rig.start()
    await rig.look()
    rig.write("b\n")
    await rig.look()
    assert rig.text() == b"a\nb\n"
    assert f"how far {rig.path} was read is lost" in caplog.text


async def test_the_first_start_can_begin_at_the_end(make_rig):
    rig = make_rig(start="end")
    rig.write("history\nhalf")
    await rig.look()
    rig.write(" a line\n")
    rig.write("appeared\n", rig.directory / "new.log")
    await rig.look()
    assert rig.text(rig.path) == b"half a line\n"
    assert rig.text(rig.directory / "new.log") == b"appeared\n"


async def test_the_first_start_reads_a_bounded_history_from_a_line_start(make_rig):
    rig = make_rig(history_bytes=10)
    rig.write("rotated long ago\n")
    rig.rotate()
    rig.write("1234567\n" * 3)
    await rig.look()
    assert rig.text() == b"1234567\n1234567\n"
