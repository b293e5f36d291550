"""What xcp-rrdd answers to /rrd_updates: numbers by name and time, as JSON of several ages or as XML."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from xenwatch.base.errors import InvalidValue

_BARE_KEY = re.compile(rb"([{,]\s*)(meta|start|step|end|rows|columns|legend|data|t|values)(\s*:)")


class RrdRow(NamedTuple):
    """One moment. Most values are never asked for, so that `float` is left to those who ask: NaN is no number."""

    at: int
    values: Sequence[str | float]


class RrdUpdates(NamedTuple):
    """Averages over `step` seconds each. The rows are in the order of time."""

    step: int
    legend: tuple[str, ...]
    """`AVERAGE:vm:<uuid>:cpu0`, one for each value of a row."""
    rows: tuple[RrdRow, ...]


def parse_rrd_updates(body: bytes) -> RrdUpdates:
    """InvalidValue where it is none.

    Numbers are texts since xapi 23.31, and NaN was no text before. The oldest JSON had keys without quotes.
    https://github.com/xapi-project/xen-api/blob/master/ocaml/libs/xapi-rrd/lib/rrd_updates.ml
    """
    try:
        if body.lstrip()[:1] == b"<":
            return _from_xml(body)
        return _from_json(body)
    except (ValueError, KeyError, TypeError, ET.ParseError) as error:
        raise InvalidValue(f"is no answer of rrd_updates: {type(error).__name__} {error}") from None


def _from_json(body: bytes) -> RrdUpdates:
    try:
        tree = json.loads(body)
    except ValueError:
        tree = json.loads(_BARE_KEY.sub(rb'\1"\2"\3', body))
    meta = tree["meta"]
    rows = tree["data"] if "data" in tree else meta["data"]
    return RrdUpdates(
        int(meta["step"]),
        tuple(meta["legend"]),
        _in_order(RrdRow(int(row["t"]), row["values"]) for row in rows),
    )


def _from_xml(body: bytes) -> RrdUpdates:
    if b"<!DOCTYPE" in body[:1024] or b"<!ENTITY" in body:
        raise InvalidValue("rrd_updates has no document type")
    tree = ET.fromstring(body)  # noqa: S314 - no entities, and the certificate of its host was checked
    return RrdUpdates(
        int(tree.findtext("meta/step", "")),
        tuple(entry.text or "" for entry in tree.iterfind("meta/legend/entry")),
        _in_order(
            RrdRow(int(row.findtext("t", "")), [v.text or "nan" for v in row.iterfind("v")])
            for row in tree.iterfind("data/row")
        ),
    )


def _in_order(rows: Iterator[RrdRow]) -> tuple[RrdRow, ...]:
    """The newest stands first in what xapi writes."""
    return tuple(sorted(rows, key=lambda row: row.at))
