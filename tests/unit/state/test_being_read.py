"""Lines that killed the agent are found and left out; all others are read, whatever stands beside them."""

from pathlib import Path

from xenwatch.model.record import Chunk, LogFormat, Position, Source, TimeHint
from xenwatch.state.being_read import BeingRead

LINES = b"one\npoison\nthree\n"
FORMAT = LogFormat(name="plain", title="plain text")


def chunk(data: bytes = LINES, offset: int = 100, path: str = "/var/log/xen/xend.log") -> Chunk:
    return Chunk(Source(path, FORMAT), data, Position("g", offset, 7), TimeHint(0.0))


def read_until_death(folder: Path, data: Chunk) -> list[bytes]:
    """What an agent read that dies at once in a line of poison, as by kill -9."""
    read: list[bytes] = []
    for piece in BeingRead(folder).pieces(data):
        if b"poison" in piece.data:
            return read
        read.append(piece.data)
    return read


def test_a_chunk_is_read_whole_as_long_as_nobody_dies(tmp_path: Path):
    assert read_until_death(tmp_path, chunk(b"one\ntwo\n")) == [b"one\ntwo\n"]
    assert read_until_death(tmp_path, chunk(b"one\ntwo\n")) == [b"one\ntwo\n"]


def test_the_line_that_kills_is_left_out_at_last_and_its_neighbours_are_read(tmp_path: Path):
    assert read_until_death(tmp_path, chunk()) == []
    assert read_until_death(tmp_path, chunk()) == [b"one\n"]
    assert read_until_death(tmp_path, chunk()) == [b"one\n"]
    assert read_until_death(tmp_path, chunk()) == [b"one\n", b"three\n"]


def test_it_is_left_out_also_where_the_next_agent_goes_on_from_an_earlier_line(tmp_path: Path):
    earlier = chunk(b"before\n" + LINES, 93)
    for data in (chunk(), earlier, earlier):
        read_until_death(tmp_path, data)
    pieces = list(BeingRead(tmp_path).pieces(earlier))
    assert [(piece.data, piece.position.offset, piece.position.line) for piece in pieces] == [
        (b"before\n", 93, 7), (b"one\n", 100, 8), (b"three\n", 111, 10),
    ]  # fmt: skip


def test_another_log_is_read_whole_meanwhile(tmp_path: Path):
    read_until_death(tmp_path, chunk())
    assert [piece.data for piece in BeingRead(tmp_path).pieces(chunk(path="/var/log/xen/xl.log"))] == [LINES]


def test_one_death_alone_costs_no_line(tmp_path: Path):
    read_until_death(tmp_path, chunk())
    assert b"".join(piece.data for piece in BeingRead(tmp_path).pieces(chunk())) == LINES
    assert [piece.data for piece in BeingRead(tmp_path).pieces(chunk())] == [LINES]


def test_a_note_that_is_none_is_no_reason_not_to_read(tmp_path: Path):
    (tmp_path / "being-read").write_bytes(b"[[1, 2], 3" + b"\xff" * 20)
    assert [piece.data for piece in BeingRead(tmp_path).pieces(chunk())] == [LINES]
    assert [piece.data for piece in BeingRead(tmp_path / "nowhere").pieces(chunk())] == [LINES]
    assert [piece.data for piece in BeingRead(None).pieces(chunk())] == [LINES]
