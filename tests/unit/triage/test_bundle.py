"""Whatever people collect from a broken host is read as far as it can be, and the rest is named with its reason."""

import bz2
import gzip
import io
import itertools
import lzma
import os
import sys
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from xenwatch.base.errors import InputError
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Source, TimeHint
from xenwatch.model.subject import Subject
from xenwatch.triage.bundle.archive import ArchiveLimits
from xenwatch.triage.bundle.entry import CHUNK, BundleEntry, aligned_chunks
from xenwatch.triage.bundle.reader import Bundle, rotation_order

NOW = 1_700_000_000.0
LINE = b"[2011-05-18 20:55:04 xend 3456] DEBUG (DevController:160) Waiting for devices vif %06d.\n"


def xend_log(lines: int, start: int = 0) -> bytes:
    return b"".join(LINE % number for number in range(start, start + lines))


def read(*paths: Path | str, limits: ArchiveLimits | None = None) -> tuple[dict[str, bytes], Bundle, list[BundleEntry]]:
    bundle = Bundle([str(path) for path in paths], now=NOW, limits=limits)
    texts, entries = {}, []
    for entry in bundle.entries():
        texts[entry.path] = b"".join(chunk.data for chunk in entry.chunks())
        entries.append(entry)
    return texts, bundle, entries


def tar_of(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_234_567_890
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


PACKERS = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_log_is_read_whole_however_it_is_packed(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"xend.log.1{ending}"
    file.write_bytes(PACKERS[ending](xend_log(9000)))
    texts, bundle, (entry,) = read(file)
    assert texts == {str(file): xend_log(9000)}
    assert (entry.format, entry.lines, entry.bytes) == ("xend", 9000, len(xend_log(9000)))
    assert bundle.skipped == []


@pytest.mark.parametrize("ending", PACKERS)
def test_an_archive_is_read_however_it_is_packed(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"bundle.tar{ending}"
    members = {"log/xen/xend.log": xend_log(5), "log/xen/xend.log.1.gz": gzip.compress(xend_log(3))}
    file.write_bytes(PACKERS[ending](tar_of(members)))
    texts, _, entries = read(file)
    assert texts == {f"{file}/log/xen/xend.log": xend_log(5), f"{file}/log/xen/xend.log.1.gz": xend_log(3)}
    assert {entry.mtime for entry in entries} == {1_234_567_890.0}


def test_an_archive_in_an_archive_is_read_and_one_deeper_is_not(tmp_path: Path) -> None:
    deepest = tar_of({"xend.log": xend_log(1)})
    middle = gzip.compress(tar_of({"xend.log": xend_log(2), "deepest.tar": deepest}))
    file = tmp_path / "outer.tar"
    file.write_bytes(tar_of({"middle.tar.gz": middle}))
    texts, bundle, _ = read(file)
    assert texts == {f"{file}/middle.tar.gz/xend.log": xend_log(2)}
    assert [skip.reason for skip in bundle.skipped] == ["packed too deep inside other archives"]


def test_standard_input_is_a_log_or_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    for fed, name in ((xend_log(3), "-"), (gzip.compress(tar_of({"xend.log": xend_log(3)})), "-/xend.log")):
        readable, writable = os.pipe()
        with os.fdopen(readable, "rb") as reader:
            os.write(writable, fed)
            os.close(writable)
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(reader.raw)))
            texts, _, _ = read("-")
            assert texts == {name: xend_log(3)}


def test_a_path_that_does_not_exist_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file or folder: .*nothing-here"):
        list(Bundle([str(tmp_path), str(tmp_path / "nothing-here")], now=NOW).entries())


def test_climbing_and_absolute_names_in_an_archive_are_only_names(tmp_path: Path) -> None:
    file = tmp_path / "evil.tar"
    names = ("../../escape/xend.log", "/etc/xend.log", "a\x1b[31m/xend.log")
    file.write_bytes(tar_of({name: xend_log(number) for number, name in enumerate(names, 1)}))
    texts, _, _ = read(file)
    assert [name.removeprefix(f"{file}/") for name in texts] == ["escape/xend.log", "etc/xend.log", "a?[31m/xend.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar"]


def test_links_and_devices_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as archive:
        for name, kind in (("link.log", tarfile.SYMTYPE), ("hard.log", tarfile.LNKTYPE), ("null", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    texts, bundle, _ = read(file)
    assert texts == {}
    assert [skip.reason for skip in bundle.skipped] == ["a link, device or sparse file, not followed"] * 3


def test_links_and_pipes_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "xend.log").write_bytes(xend_log(1))
    (tmp_path / "xend.log.1").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.log")
    texts, bundle, _ = read(tmp_path)
    assert list(texts) == [str(tmp_path / "xend.log")]
    assert {Path(skip.path).name: skip.reason for skip in bundle.skipped} == {
        "xend.log.1": "a link, not followed",
        "pipe.log": "not a regular file",
    }


def test_a_bomb_is_cut_off_and_named(tmp_path: Path) -> None:
    limits = ArchiveLimits(ratio=50, ratio_from_bytes=1024**2)
    bomb = tmp_path / "xend.log.gz"
    bomb.write_bytes(gzip.compress(b"[2011-05-18 20:55:04 xend 1] DEBUG (a:1) b\n" * 400_000))
    texts, bundle, _ = read(bomb, limits=limits)
    assert sum(map(len, texts.values())) < 4 * 1024**2
    assert [skip.reason for skip in bundle.skipped] == ["the rest: unfolds to more than 50 times its size"]


def test_many_small_bombs_are_one_big_one(tmp_path: Path) -> None:
    limits = ArchiveLimits(ratio=50, ratio_from_bytes=4 * 1024**2, small_bytes=64 * 1024)
    line = b"[2011-05-18 20:55:04 xend 1] DEBUG (a:1) b\n"
    bomb = gzip.compress(line * 80_000)
    (tmp_path / "bombs.tar").write_bytes(tar_of({f"{number}/xend.log.gz": bomb for number in range(20)}))
    texts, bundle, _ = read(tmp_path / "bombs.tar", limits=limits)
    sizes = [len(text) for text in texts.values()]
    assert len(sizes) == 20
    assert sizes[0] == len(line) * 80_000  # one alone is a log of one repeated line
    assert max(sizes[2:]) < 1024**2
    assert {skip.reason for skip in bundle.skipped} == {"the rest: unfolds to more than 50 times its size"}


def test_many_small_logs_that_were_packed_one_by_one_are_read_whole(tmp_path: Path) -> None:
    limits = ArchiveLimits(ratio=50, ratio_from_bytes=10_000, small_bytes=5_000)
    logs = {f"{number}/xend.log.gz": gzip.compress(xend_log(number % 9 + 1)) for number in range(30)}
    (tmp_path / "logs.tar").write_bytes(tar_of(logs))
    texts, bundle, _ = read(tmp_path / "logs.tar", limits=limits)
    assert (len(texts), bundle.skipped) == (30, [])


def test_an_archive_that_unfolds_to_more_than_the_limit_is_cut_off_and_the_next_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar_of({"xend.log": os.urandom(3_000_000).hex().encode()})))
    (tmp_path / "xend.log").write_bytes(xend_log(4))
    texts, bundle, _ = read(tmp_path, limits=ArchiveLimits(total_bytes=1024**2))
    assert texts[str(tmp_path / "xend.log")] == xend_log(4)
    assert "unfolds to more than 1.0 MiB" in bundle.skipped[0].reason


def test_an_archive_of_countless_files_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "many.tar"
    file.write_bytes(tar_of({f"xend.log.{number}": xend_log(1) for number in range(1, 9)}))
    texts, bundle, _ = read(file, limits=ArchiveLimits(members=5))
    assert len(texts) == 5
    assert [skip.reason for skip in bundle.skipped] == ["holds more than 5 files"]


@pytest.mark.parametrize("ending", [".gz", ".xz", ".zst", ".bz2"])
def test_what_stands_before_a_tear_is_read(tmp_path: Path, ending: str) -> None:
    noise = b"".join(LINE % int.from_bytes(os.urandom(2)) for _ in range(60_000))
    packed = PACKERS[ending](noise)
    file = tmp_path / f"xend.log{ending}"
    file.write_bytes(packed[: len(packed) * 9 // 10])
    texts, bundle, _ = read(file)
    whole = texts[str(file)]
    assert noise.startswith(whole)
    assert len(whole) > len(noise) // 4
    assert ending == ".zst" or "torn or damaged" in bundle.skipped[0].reason


def test_a_torn_archive_gives_the_members_before_the_tear(tmp_path: Path) -> None:
    data = tar_of({"one/xend.log": xend_log(10), "two/xend.log": xend_log(5000)})
    file = tmp_path / "torn.tar"
    file.write_bytes(data[:5000])
    texts, bundle, _ = read(file)
    assert texts[f"{file}/one/xend.log"] == xend_log(10)
    assert "torn or damaged" in bundle.skipped[-1].reason


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("core.4711", b"\x7fELF" + bytes(200), "binary"),
        ("xend.log", b"", "empty"),
        ("logs.zip", b"PK\x03\x04garbage", "torn or damaged"),
        ("bad.gz", b"\x1f\x8bgarbage", "torn or damaged"),
    ],
)
def test_what_cannot_be_read_is_skipped_with_its_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    texts, bundle, _ = read(tmp_path)
    assert texts == {}
    assert [Path(skip.path).name for skip in bundle.skipped] == [name]
    assert reason in bundle.skipped[0].reason


def test_a_rotated_set_is_read_oldest_first(tmp_path: Path) -> None:
    names = [
        "xend.log",
        "xend.log.1",
        "xend.log.2.gz",
        "xend.log.10",
        "messages",
        "messages-20240501",
        "messages-20240412",
    ]
    for name in names:
        data = xend_log(1)
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    texts, _, _ = read(tmp_path)
    assert [Path(path).name for path in texts] == [
        "xend.log.10", "xend.log.2.gz", "xend.log.1", "xend.log", "messages-20240412", "messages-20240501", "messages",
    ]  # fmt: skip


def test_a_member_without_a_date_takes_the_archives(tmp_path: Path) -> None:
    file = tmp_path / "undated.tar"
    with tarfile.open(file, "w") as archive:
        info = tarfile.TarInfo("xend.log")
        info.size = len(xend_log(1))
        archive.addfile(info, io.BytesIO(xend_log(1)))
    os.utime(file, (1_247_600_000, 1_247_600_000))
    _, _, (entry,) = read(file)
    assert entry.mtime == 1_247_600_000


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from([LINE % 7, b"  continued\n", b"\n", b"\x00\xff" * 40 + b"\n", b"x" * 700 + b"\n"]),
        min_size=1,
        max_size=50,
    ),
    reads=st.lists(st.integers(1, 300), min_size=1),
)
def test_however_a_stream_is_handed_out_no_byte_is_lost_and_no_record_is_cut(
    lines: list[bytes], reads: list[int]
) -> None:
    data = b"".join([LINE % 1, *lines])
    stream, turns = io.BytesIO(data), itertools.cycle(reads)

    def read_into(view: memoryview) -> int:
        return stream.readinto(view[: next(turns)])

    source = Source("xend.log", all_formats()["xend"])
    chunks = list(aligned_chunks(read_into, source, TimeHint(NOW), size=512))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk.data.startswith(b"[2011") for chunk in chunks)
    assert all(chunk.position.line == 1 + data[: chunk.position.offset].count(b"\n") for chunk in chunks)


def test_a_pid_in_a_name_is_no_rotation() -> None:
    assert rotation_order("qemu-dm.4711.log")[1] == "qemu-dm.4711.log"


def test_chunks_end_where_a_record_ends(tmp_path: Path) -> None:
    record = b"[2011-05-18 20:55:04 3456] ERROR (XendDomainInfo:195) Domain construction failed\n" + b"  at x\n" * 40
    file = tmp_path / "xend.log"
    file.write_bytes(record * 3000)
    chunks = [chunk for entry in Bundle([str(file)], now=NOW).entries() for chunk in entry.chunks()]
    assert b"".join(chunk.data for chunk in chunks) == record * 3000
    assert all(chunk.data.startswith(b"[2011") and len(chunk.data) <= CHUNK for chunk in chunks)
    assert [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    sizes = [len(chunk.data) for chunk in chunks]
    assert [chunk.position.offset for chunk in chunks] == [sum(sizes[:number]) for number in range(len(sizes))]
    assert chunks[-1].position.line == 1 + sum(chunk.data.count(b"\n") for chunk in chunks[:-1])


def test_a_line_longer_than_any_buffer_is_handed_on_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "xend.log"
    data = xend_log(2) + b"x" * 10_000_000 + b"\n" + xend_log(2)
    file.write_bytes(data)
    texts, _, (entry,) = read(file)
    assert texts[str(file)] == data
    assert entry.lines == 5


def test_first_and_last_time_are_those_of_the_records(tmp_path: Path) -> None:
    file = tmp_path / "xend.log"
    file.write_bytes(
        b"stale tail of an older log\n[2011-05-18 20:55:04 1] INFO (a:1) b\n[2011-05-18 21:00:00 1] INFO (a:1) c\nend\n"
    )
    _, _, (entry,) = read(file)
    assert (entry.first, entry.last) == (1305752104.0, 1305752400.0)


def test_the_years_of_yearless_logs_come_from_the_files_own_time(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    file.write_bytes(b"Jul 14 14:18:02 dom0 logger: /etc/xen/scripts/block: add XENBUS_PATH=backend/vbd/5/51712\n")
    os.utime(file, (1_247_600_000, 1_247_600_000))
    _, _, (entry,) = read(file)
    assert entry.first == 1_247_581_082.0


def test_the_last_line_without_a_newline_counts(tmp_path: Path) -> None:
    file = tmp_path / "xend.log"
    file.write_bytes(xend_log(2).rstrip(b"\n"))
    _, _, (entry,) = read(file)
    assert entry.lines == 2


def test_the_log_of_a_device_model_is_tied_to_its_domain_by_xend_log(tmp_path: Path) -> None:
    head = b"[2008-05-18 20:55:04 xend 3456] INFO (image:390) "
    spawned = b"spawning device models: /usr/lib/xen/bin/qemu-dm ['qemu-dm', '-d', '7', '-domain-name', 'win1']\n"
    (tmp_path / "xend.log").write_bytes(head + spawned + head + b"device model pid: 4711\n")
    (tmp_path / "qemu-dm.4711.log").write_bytes(b"domid: 7\n")
    bundle, sources = Bundle([str(tmp_path)], now=NOW), {}
    for entry in bundle.entries():
        sources[Path(entry.path).name] = entry.source
        for chunk in entry.chunks():
            bundle.device_models.learn(chunk)
    device_model = sources["qemu-dm.4711.log"]
    assert device_model is not None
    assert bundle.device_models.owner(device_model) == Subject("domain", "win1", domid=7)


def test_a_log_of_one_domain_is_tied_to_it(tmp_path: Path) -> None:
    (tmp_path / "xl-web.log").write_bytes(b"Waiting for domain web (domid 3) to die [pid 927]\n")
    _, _, (entry,) = read(tmp_path)
    assert entry.source is not None
    assert entry.source.subject is not None
    assert entry.source.subject.key == "domain/web"
