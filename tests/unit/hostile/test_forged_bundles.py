"""What people are sent may be torn, forged or made to hurt: it is named and skipped, and the log beside it is read."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.logs.format import all_formats
from xenwatch.model.record import MOST_RECORD_LINES, Source, TimeHint
from xenwatch.triage.bundle.entry import aligned_chunks
from xenwatch.triage.bundle.reader import Bundle

NOW = 1_700_000_000.0
LINE = b"[2011-05-18 20:55:04 xend 3456] ERROR (XendDomainInfo:2050) Device 0 (vif) could not be connected.\n"


def header_of(data: bytes, *, field: slice, value: bytes) -> bytes:
    """A tar whose first header says something else in one field, its checksum put right."""
    header = bytearray(data[:512])
    header[field] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


def tar(**pax: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("xend.log")
        info.size, info.mtime, info.pax_headers = len(LINE), 1_305_752_104, pax
        archive.addfile(info, io.BytesIO(LINE))
    return packed.getvalue()


def read(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The logs below a folder, and why the rest was not read, by name."""
    bundle = Bundle([str(folder)], now=NOW)
    texts = {Path(entry.path).name: b"".join(c.data for c in entry.chunks()) for entry in bundle.entries()}
    return texts, {skip.path.removeprefix(f"{folder}/"): skip.reason for skip in bundle.skipped}


SIZE, MTIME = slice(124, 136), slice(136, 148)
ENDLESS = b"\x80" + b"\xff" * 11
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "xend.log", "GNU.sparse.realsize": "9"}


@pytest.mark.parametrize(
    "forged",
    [
        header_of(tar(), field=SIZE, value=ENDLESS),
        header_of(tar(), field=SIZE, value=b"\xff" * 12),
        header_of(tar(), field=SIZE, value=b"letters!\0\0\0\0"),
        tar(**SPARSE),
    ],
    ids=["a size of 2^88", "a negative size", "a size in letters", "a sparse map that is a log line"],
)
def test_an_archive_with_a_forged_header_ends_there_and_the_file_beside_it_is_read(
    tmp_path: Path, forged: bytes
) -> None:
    (tmp_path / "a.tar").write_bytes(forged)
    (tmp_path / "b.log").write_bytes(LINE)
    texts, skipped = read(tmp_path)
    assert texts["b.log"] == LINE
    assert any(name.startswith("a.tar") for name in skipped)


@pytest.mark.parametrize("forged", [header_of(tar(), field=MTIME, value=ENDLESS), tar(mtime="inf"), tar(mtime="nan")])
def test_a_member_from_the_year_of_no_calendar_takes_the_archives_time(tmp_path: Path, forged: bytes) -> None:
    file = tmp_path / "a.tar"
    file.write_bytes(forged)
    os.utime(file, (1_305_752_104, 1_305_752_104))
    (entry,) = Bundle([str(file)], now=NOW).entries()
    assert entry.mtime == 1_305_752_104.0


def test_a_number_of_thousands_of_digits_costs_one_file_of_facts(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: {'9' * 6000} kB\n")
    heading = "Filesystem 1K-blocks Used Available Use% Mounted on\n"
    (tmp_path / "df.txt").write_text(f"{heading}/dev/x {'9' * 400} 1 1 1% /\n")
    (tmp_path / "xend.log").write_bytes(LINE)
    texts, skipped = read(tmp_path)
    assert texts["xend.log"] == LINE
    assert skipped["meminfo"].startswith("not what /proc/meminfo prints")
    assert skipped["df.txt"].startswith("not what df prints")


def test_a_million_empty_lines_are_no_record_to_search_through() -> None:
    """They cost a guest one byte each: what is looked at for a record's ends is bounded in lines, too."""
    format_ = all_formats()["stderr"]
    data = b"\n" * 60_000
    start, end = format_.bounds(data, 30_000)
    assert end - start <= 2 * MOST_RECORD_LINES


def test_no_byte_is_lost_among_a_million_empty_lines() -> None:
    data = b"\n" * 700_000 + LINE
    stream = io.BytesIO(data)
    source = Source("xm.err", all_formats()["stderr"])
    chunks = list(aligned_chunks(stream.readinto, source, TimeHint(NOW)))
    assert b"".join(chunk.data for chunk in chunks) == data
    scanner = Scanner((), "re")
    assert [event for chunk in chunks for event in scanner.feed(chunk)] == []
