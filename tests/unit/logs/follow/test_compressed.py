"""Rotated and compressed before it was read: the rest is read from the compressed file, once."""

import bz2
import gzip
import lzma

import pytest

pytestmark = pytest.mark.usefixtures("any_file_system")

OPEN = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def compress(path, packed: str = "gz") -> None:
    """As gzip does it: the compressed file is whole before the other one is gone."""
    with OPEN[packed](f"{path}.{packed}", "wb") as file:
        file.write(path.read_bytes())
    path.unlink()


@pytest.mark.parametrize("packed", OPEN)
@pytest.mark.parametrize("name", ["xend.log.1", "xend.log-20260730", "xend-20260730.log"])
async def test_what_was_compressed_while_down_is_read_on(rig, packed, name):
    rig.write("a\nb\n")
    await rig.look()
    rig.stop()
    rig.write("c\nd\n")
    rotated = rig.path.with_name(name)
    rig.path.rename(rotated)
    compress(rotated, packed)
    rig.write("e\n")
    rig.start()
    await rig.look()
    await rig.advance(1)
    assert rig.text() == b"a\nb\nc\nd\ne\n"
    rig.stop()
    rig.start()
    await rig.advance(1)
    assert rig.text() == b"a\nb\nc\nd\ne\n"


async def test_what_was_read_before_it_was_compressed_is_not_read_again(rig):
    rig.write("a\nb\n")
    await rig.look()
    rig.rotate()
    rig.write("c\n")
    await rig.advance(1)
    await rig.advance(61)
    compress(rig.path.with_name("xend.log.1"))
    rig.rotate()
    await rig.advance(1)
    rig.stop()
    rig.start()
    await rig.advance(1)
    assert rig.text() == b"a\nb\nc\n"


async def test_a_compressed_file_of_before_the_first_start_is_not_read(rig):
    rig.write("old\n", rig.path.with_name("xend.log.1"))
    compress(rig.path.with_name("xend.log.1"))
    rig.write("new\n")
    await rig.look()
    assert rig.text() == b"new\n"


async def test_a_restart_in_the_middle_of_a_compressed_file_goes_on_there(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    lines = b"".join(b"line %d\n" % number for number in range(100_000))
    rig.write(lines)
    rig.path.rename(rig.path.with_name("xend.log.1"))
    compress(rig.path.with_name("xend.log.1"))
    rig.path.touch()
    rig.start()
    rig.chunks.clear()
    rig.follower._find({str(rig.path)}, settle=True)
    rig.chunks.append(next(rig.follower._sources[str(rig.path)].chunks(settle=True)))
    rig.stop()
    rig.start()
    await rig.look()
    assert rig.text() == lines


async def test_a_damaged_compressed_file_is_passed_over(rig):
    rig.write("a\n")
    await rig.look()
    rig.stop()
    rig.write("b\n")
    rig.path.rename(rig.path.with_name("xend.log.1"))
    compress(rig.path.with_name("xend.log.1"))
    archive = rig.path.with_name("xend.log.1.gz")
    archive.write_bytes(archive.read_bytes()[:12])
    rig.write("c\n")
    rig.start()
    await rig.look()
    assert rig.text() == b"a\nc\n"
