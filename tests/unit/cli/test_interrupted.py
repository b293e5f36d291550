"""Ctrl-C ends the reading, not the report: exit code 130, and what was read so far."""

import io
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from xenwatch.cli import diagnose
from xenwatch.cli.main import cli
from xenwatch.triage.bundle.interruption import Interruption
from xenwatch.triage.bundle.reader import Bundle

BRIDGE = "libxl: error: libxl_device.c:1351:hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"


class OpenPipe(io.RawIOBase):
    """Gives a few lines; then, as the reader waits for more, somebody presses Ctrl-C."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if len(buffer) and not self._data:
            signal.raise_signal(signal.SIGINT)
        count = min(len(buffer), len(self._data))
        buffer[:count], self._data = self._data[:count], self._data[count:]
        return count


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def test_what_was_read_is_reported_and_the_exit_code_says_that_it_is_not_all():
    result = CliRunner().invoke(cli, ["diagnose", "-q", "-"], input=OpenPipe(BRIDGE))
    assert result.exit_code == 130
    assert "Interrupted while reading standard input:" in result.stdout
    assert "vif-bridge-missing" in result.stdout


def test_where_nothing_was_read_there_is_no_report():
    result = CliRunner().invoke(cli, ["diagnose", "-q", "-"], input=OpenPipe(""))
    assert result.exit_code == 130
    assert result.stdout == ""


def test_before_the_reading_begins_ctrl_c_ends_the_program_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_words: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(diagnose, "_read", interrupted)
    assert CliRunner().invoke(cli, ["diagnose", "-q", str(tmp_path)]).exit_code == 130


def test_nothing_is_read_behind_the_interruption(tmp_path: Path):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(BRIDGE)
    interruption = Interruption()
    bundle = Bundle([str(tmp_path)], now=1.0, interruption=interruption)
    read = []
    for entry in bundle.entries():
        read.append(entry.path)
        interruption.is_requested = True
        list(entry.chunks())
    assert read == [str(tmp_path / "a.log")]
    assert bundle.skipped == []


@pytest.fixture
def pythons_own_handler() -> Iterator[None]:
    """Of SIGINT, whatever a test before has left in this process."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("pythons_own_handler")
def test_a_second_ctrl_c_ends_the_program_and_the_first_one_alone_does_not():
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.is_requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
