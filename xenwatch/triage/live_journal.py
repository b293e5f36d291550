"""The journal of a running host for `diagnose --live` and `collect`: read where no syslog file has the same lines."""

import asyncio
import io
from collections.abc import Iterable
from pathlib import Path

from xenwatch.config.sections import LogSettings
from xenwatch.host.host import Host
from xenwatch.logs.command_sources import JOURNAL, JOURNAL_MATCHES, has_journal, system_log_is_written
from xenwatch.logs.files.discover import LogPatterns
from xenwatch.logs.format import HEAD, all_formats, recognise
from xenwatch.logs.journal_history import MOST_BYTES, BootLog, JournalHistory, read_history
from xenwatch.logs.sources.journald import Spawn
from xenwatch.model.record import Source, TimeHint
from xenwatch.triage.bundle.entry import BundleEntry, aligned_chunks

_FORMAT = "syslog"
_NOWHERE = (
    "this host has no journal and no syslog file that is still written: "
    "messages of the kernel and of daemons were not read"
)
_ONE_BOOT = "earlier boots: journald keeps the journal only in memory, because /var/log/journal is missing"


async def live_journal(host: Host, logs: LogSettings, spawn: Spawn, limit: int = MOST_BYTES) -> JournalHistory:
    """At most `limit` bytes of it. Nothing where it is not wanted, or a followed file has the same."""
    if not logs.journal or limit <= 0 or await asyncio.to_thread(_in_files, logs.paths, host.clock.now()):
        return JournalHistory()
    if not has_journal(host.paths):
        return JournalHistory(missing=(_NOWHERE,))
    history = await read_history(host.runner, spawn, JOURNAL_MATCHES, limit=min(limit, MOST_BYTES))
    if history.boots and not host.paths.at("var/log/journal").is_dir():
        return JournalHistory(history.boots, (*history.missing, _ONE_BOOT))
    return history


def journal_entry(boot: BootLog, host: str | None = None) -> BundleEntry:
    """One boot as a log among those of a bundle."""
    path = f"{JOURNAL} boot -{boot.boots_ago}" if boot.boots_ago else JOURNAL
    source, hint = Source(path, all_formats()[_FORMAT], host=host), TimeHint(near=boot.last)
    entry = BundleEntry(path, _FORMAT, source, boot.last, host=host)
    entry.pieces = aligned_chunks(io.BytesIO(boot.text).readinto, source, hint)
    return entry


def journal_file(boot: BootLog) -> str:
    """What the log of one boot is called in a bundle: as a rotated log is, so that any reader takes it for one."""
    return f"{JOURNAL}/journal.log" + (f".{boot.boots_ago}" if boot.boots_ago else "")


def _in_files(patterns: tuple[str, ...], now: float) -> bool:
    places = LogPatterns(patterns)
    return system_log_is_written(dict(_formats(places.logs(places.directories()))), now)


def _formats(paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    for path in paths:
        try:
            with Path(path).open("rb") as log:
                format_ = recognise(path, log.read(HEAD)).format
        except OSError:
            continue
        if format_ is not None:
            yield path, format_.name
