"""The recordings of a real host as texts that can be moved in time and told of other guests and domids."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parent / "recordings"
TIME = re.compile(
    r"^(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00)|^\[(?P<plain>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\]"
    r"|^\[(?P<store>\d{8}T\d\d:\d\d:\d\d\.\d+Z)\]",
    re.MULTILINE,
)
DOMID = re.compile(
    r"(?P<before>\b[Dd]omain |/vif/|/vbd/|/local/domain/|\bvif|\bdomid |\bid=|/console/|\bd|\bbootloader\.)"
    r"(?P<id>[1-9]\d?)\b"
)
NAME = re.compile(r"\b(web|db|app|big)\b")


class Recording(NamedTuple):
    """A failure: its log files by name, and what it is to be told as."""

    name: str
    files: dict[str, str]
    expect: list[dict[str, Any]]

    @property
    def span(self) -> tuple[datetime, datetime]:
        times = [at for text in self.files.values() for at in times_in(text)]
        return min(times), max(times)

    @property
    def has_times(self) -> bool:
        return any(True for text in self.files.values() for _ in times_in(text))

    def moved(self, by: timedelta, *, domids: int, names: Mapping[str, str]) -> "Recording":
        """The same at another time, with domids so much higher, and of guests of other names."""

        def changed(text: str) -> str:
            text = TIME.sub(partial(_moved, by), text)
            text = DOMID.sub(lambda f: f"{f['before']}{int(f['id']) + domids}", text)
            text = re.sub(r"\bxl\[(\d+)\]", lambda f: f"xl[{int(f[1]) + domids * 100}]", text)
            return NAME.sub(lambda f: names.get(f[0], f[0]), text)

        expect = [{**e, "subject": changed(e["subject"])} if "subject" in e else e for e in self.expect]
        return Recording(self.name, {changed(name): changed(text) for name, text in self.files.items()}, expect)


def times_in(text: str) -> Iterator[datetime]:
    return (_read(found) for found in TIME.finditer(text))


def _read(found: re.Match[str]) -> datetime:
    if found["iso"]:
        return datetime.fromisoformat(found["iso"])
    form = "%Y-%m-%d %H:%M:%S%z" if found["plain"] else "%Y%m%dT%H:%M:%S.%f%z"
    return datetime.strptime(f"{found['plain'] or found['store'][:-1]}+0000", form)  # noqa: DTZ007 - %z is in it


def _moved(by: timedelta, found: re.Match[str]) -> str:
    at = _read(found) + by
    if found["iso"]:
        return at.isoformat(timespec="microseconds")
    return f"[{at:%Y-%m-%d %H:%M:%S}]" if found["plain"] else f"[{at:%Y%m%dT%H:%M:%S}.{at.microsecond // 1000:03}Z]"


def recorded(folder: Path) -> Recording:
    logs = folder / "log"
    files = {str(f.relative_to(logs)): f.read_text(errors="replace") for f in sorted(logs.rglob("*")) if f.is_file()}
    return Recording(folder.name, files, yaml.safe_load((folder / "recording.yaml").read_text())["expect"])


def recordings() -> list[Recording]:
    """All of them, by name."""
    return [recorded(path.parent) for path in sorted(FOLDER.glob("*/recording.yaml"))]
