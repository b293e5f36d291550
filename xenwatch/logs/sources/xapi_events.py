"""What xapi tells by events, as lines of the log that it writes itself: tasks that failed, and messages.

A rule for a line of xensource.log holds for a pool that is watched from beside, too. A failed task has the error as
xapi's own log prints it, `Server_error(CODE, [ …; … ])` (ocaml/xapi/taskHelper.ml), and a message begins as xapi
announces it there, `Message.create NAME PRIORITY CLASS UUID` (ocaml/xapi/xapi_message.ml).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from xenwatch.host.xapi.feed import RecordChange
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import PoolRecords, Record, moment, whole_number

LONGEST_BODY = 600
_MOST_PARAMS, _LONGEST_PARAM = 12, 300
_REF = re.compile(r"OpaqueRef:[0-9a-f-]{36}")
_SEVERE, _WARNING = 2, 3
"""Priorities of messages up to which they are errors and warnings: ocaml/xapi-consts/api_messages.ml."""
_CLASSES = {"VM": "vm", "Host": "host", "SR": "sr", "VDI": "vdi", "Pool": "pool"}


def event_lines(changes: Iterable[RecordChange], records: PoolRecords, names: PoolNames, now: float) -> Iterator[str]:
    """A line for each task that has failed since, and for each new message; without its newline."""
    for change in changes:
        if change.class_ == "task" and _has_failed(change):
            yield _task(change.record, records, names, now)
        elif change.class_ == "message" and change.operation == "add":
            yield _message(change.record, records, names, now)


def _has_failed(change: RecordChange) -> bool:
    before = change.before or {}
    failed = change.operation != "del" and change.record.get("status") == "failure"
    return failed and before.get("status") != "failure"


def _task(task: Record, records: PoolRecords, names: PoolNames, now: float) -> str:
    code, *params = [*map(str, task.get("error_info", ())), ""]
    told = [_readable(param, records) for param in params[:-1][:_MOST_PARAMS]]
    at, host = moment(task.get("finished")) or now, names.hosts.get(str(task.get("resident_on")), "")
    name = _plain(str(task.get("name_label", "")), _LONGEST_PARAM)
    # A word that anybody with the right to start a task may choose stands behind what the rules look for.
    return f"[{_stamp(at)}|error|{host}|task|xapi] Server_error({code}, [ {'; '.join(told)} ]) ended the task {name}"


def _message(message: Record, records: PoolRecords, names: PoolNames, now: float) -> str:
    priority = whole_number(message.get("priority")) or 0
    level = "error" if priority <= _SEVERE else "warn" if priority <= _WARNING else "info"
    kind, uuid = str(message.get("cls", "")), str(message.get("obj_uuid", ""))
    about = _name_of(kind, uuid, records, names)
    body = _plain(str(message.get("body", "")), LONGEST_BODY)
    head = f"[{_stamp(moment(message.get('timestamp')) or now)}|{level}||message|xapi_message]"
    return f"{head} Message.create {_word(message.get('name'))} {priority} {_word(kind)} {_word(uuid)} ({about}) {body}"


def _name_of(kind: str, uuid: str, records: PoolRecords, names: PoolNames) -> str:
    known = {"VM": names.guests, "Host": names.hosts, "SR": names.repositories}.get(kind, {})
    of_kind = records.of(_CLASSES[kind]) if kind in _CLASSES else {}
    ref = next((ref for ref, record in of_kind.items() if record.get("uuid") == uuid), "")
    return _plain(known.get(ref, ""), _LONGEST_PARAM)


def _readable(param: str, records: PoolRecords) -> str:
    """References mean nothing to people and end with the session: the uuid of what is meant stands instead."""

    def uuid(found: re.Match[str]) -> str:
        for class_ in ("vm", "host", "sr", "vdi", "vbd", "vif", "pbd", "network"):
            if (record := records.get(class_, found[0])) is not None:
                return str(record["uuid"])
        return found[0]

    return _plain(_REF.sub(uuid, param), _LONGEST_PARAM)


def _word(value: object) -> str:
    """A name of the API's own, with nothing in it that could begin another line."""
    return re.sub(r"[^\w:.-]", "_", str(value))[:80]


def _plain(text: str, most: int) -> str:
    """On one line: what people wrote must not look like another record."""
    return " ".join(text.split())[:most]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H:%M:%S.%fZ")
