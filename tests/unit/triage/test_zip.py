"""Zip archives, such as a status report that XenCenter made of several hosts, are read without unpacking them."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.triage.bundle.archive import ArchiveLimits
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.diagnose import diagnose

LOG = b"".join(
    b"[2011-05-18 20:55:04 xend 3456] DEBUG (DevController:160) Waiting for %06d.\n" % n for n in range(4000)
)
REPORT = "bug-report-20261130090858"
XENSOURCE = (
    "Nov 30 09:08:58 xcp1 xapi: [error|xcp1|1234 ||backtrace] Async.VM.start R:7a failed with exception "
    "Server_error(SR_BACKEND_FAILURE_46, [ ; The VDI is not available [opterr=VDI 6d2f already attached RW];  ])\n"
)
KERNEL = (
    "Nov 30 09:10:00 xcp2 kernel: [123516.789] Out of memory: Killed process 2854 (qemu-system-i38) total-vm:912344kB, "
    "anon-rss:201144kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:812kB oom_score_adj:0\n"
)


def read(file: Path, limits: ArchiveLimits | None = None) -> tuple[dict[str, bytes], list[str]]:
    bundle = Bundle([str(file)], now=1_700_000_000.0, limits=limits)
    texts = {entry.path: b"".join(chunk.data for chunk in entry.chunks()) for entry in bundle.entries()}
    return texts, [f"{skip.path.removeprefix(str(file))}: {skip.reason}" for skip in bundle.skipped]


class OneWay(io.RawIOBase):
    """A pipe: zipfile then writes sizes behind each file."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += bytes(data)
        return len(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("large", [False, True], ids=["plain", "zip64"])
def test_files_are_read_with_their_folders(tmp_path: Path, method: int, large: bool) -> None:
    file = tmp_path / "logs.zip"
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.mkdir("var")
        for name in ("var/xend.log", "two/xend.log"):
            with archive.open(name, "w", force_zip64=large) as member:
                member.write(LOG)
    texts, skipped = read(file)
    assert texts == {f"{file}/var/xend.log": LOG, f"{file}/two/xend.log": LOG}
    assert skipped == []


@pytest.mark.parametrize("large", [False, True], ids=["plain", "zip64"])
def test_an_archive_that_was_written_to_a_pipe_is_read(tmp_path: Path, large: bool) -> None:
    pipe = OneWay()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name in ("one/xend.log", "two/xend.log"):
            with archive.open(name, "w", force_zip64=large) as member:
                member.write(LOG)
    file = tmp_path / "logs.zip"
    file.write_bytes(pipe.data)
    assert read(file) == ({f"{file}/one/xend.log": LOG, f"{file}/two/xend.log": LOG}, [])


def test_what_stands_before_the_tear_is_read(tmp_path: Path) -> None:
    file = tmp_path / "torn.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("one/xend.log", LOG)
        archive.writestr("two/xend.log", LOG)
    file.write_bytes(file.read_bytes()[: len(LOG) + 5000])
    texts, skipped = read(file)
    assert texts[f"{file}/one/xend.log"] == LOG
    assert any("torn or damaged" in reason for reason in skipped)


def test_an_encrypted_file_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    file = tmp_path / "logs.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("secret.log", LOG)
        archive.writestr("xend.log", LOG)
    data = bytearray(file.read_bytes())
    data[6] |= 1
    file.write_bytes(data)
    texts, skipped = read(file)
    assert texts == {f"{file}/xend.log": LOG}
    assert "/secret.log: " in skipped[0]
    assert "it is encrypted" in skipped[0]


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xend.log", LOG[:100] + b"a\n" * 4_000_000)
    limits = ArchiveLimits(ratio_from_bytes=1024, small_bytes=1024)
    _, skipped = read(file, limits)
    assert "times its size" in skipped[0]


def test_a_name_that_climbs_stays_in_the_archive(tmp_path: Path) -> None:
    file = tmp_path / "logs.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../etc/xend.log", LOG)
    assert list(read(file)[0]) == [f"{file}/etc/xend.log"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 30))
def test_no_bytes_whatever_make_the_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    file = tmp_path_factory.mktemp("zip") / "x.zip"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xend.log", LOG[:2000])
    file.write_bytes(b"PK\x03\x04" + data + whole.getvalue()[cut:])
    read(file)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, Path]:
    cache = tmp_path_factory.mktemp("cache")
    return rules_with((), cache), cache


@pytest.mark.parametrize("form", ["zip of folders", "zip of tars", "tgz of folders", "folder"])
def test_a_status_report_of_a_pool_is_told_by_host_however_it_is_packed(
    tmp_path: Path, rules: tuple[object, Path], form: str
) -> None:
    logs = {f"xcp1/{REPORT}/var/log/xensource.log": XENSOURCE, f"xcp2/{REPORT}/var/log/kern.log": KERNEL}
    report = packed(tmp_path, logs, form)
    found = diagnose([str(report)], rules[0], cache=rules[1])  # type: ignore[arg-type]
    told = {(i.diagnosis.subject.host, i.diagnosis.class_) for i in found.incidents}
    assert ("xcp2", "dom0-oom") in told
    assert {host for host, _ in told} == {"xcp1", "xcp2"}


def packed(folder: Path, logs: dict[str, str], form: str) -> Path:
    for name, text in logs.items():
        (folder / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "made" / name).write_text(text)
    if form == "folder":
        return folder / "made"
    if form == "tgz of folders":
        with tarfile.open(folder / "report.tgz", "w:gz") as archive:
            archive.add(folder / "made", ".")
        return folder / "report.tgz"
    with zipfile.ZipFile(folder / "report.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for host in ("xcp1", "xcp2"):
            if form == "zip of tars":
                tar = io.BytesIO()
                with tarfile.open(fileobj=tar, mode="w:bz2") as archive:
                    archive.add(folder / "made" / host / REPORT, REPORT)
                zipped.writestr(f"{host}.tar.bz2", tar.getvalue())
                continue
            for where, _, files in os.walk(folder / "made" / host):
                for name in files:
                    path = Path(where, name)
                    zipped.write(path, path.relative_to(folder / "made"))
    return folder / "report.zip"
