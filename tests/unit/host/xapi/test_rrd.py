"""rrd_updates in each form that a version of xapi has written it in."""

import math

import pytest

from xenwatch.base.errors import InvalidValue
from xenwatch.demo.pool import rrds
from xenwatch.host.xapi.rrd import parse_rrd_updates

OWNERS = {
    "vm:0a": {"cpu0": lambda t: t % 10 / 10, "memory": lambda _t: 2147483648.0},
    "host:0b": {"cpu_avg": lambda _t: 0.5},
}
LEGEND, ROWS = rrds.updates(OWNERS, 1_796_029_700, 1_796_029_712, not_yet={("host:0b", "cpu_avg")})


@pytest.mark.parametrize(
    "body",
    [rrds.as_json(LEGEND, ROWS), rrds.as_json(LEGEND, ROWS, old=True), rrds.as_xml(LEGEND, ROWS)],
    ids=["json", "json of old", "xml"],
)
def test_all_forms_say_the_same_oldest_first_and_nan_where_there_is_no_number(body: bytes) -> None:
    found = parse_rrd_updates(body)
    assert found.step == 5
    assert found.legend == ("AVERAGE:vm:0a:cpu0", "AVERAGE:vm:0a:memory", "AVERAGE:host:0b:cpu_avg")
    assert [row.at for row in found.rows] == [1_796_029_700, 1_796_029_705, 1_796_029_710]
    _, memory, average = map(float, found.rows[-1].values)
    assert [float(row.values[0]) for row in found.rows] == [0.0, 0.5, 0.0]
    assert memory == 2147483648.0
    assert math.isnan(average)


def test_numbers_without_quotes_as_before_23_31() -> None:
    body = b'{"meta":{"start":5,"step":5,"end":10,"rows":1,"columns":1,"legend":["AVERAGE:vm:0a:cpu0"]},"data":[{"t":10,"values":[NaN]}]}'  # noqa: E501
    (row,) = parse_rrd_updates(body).rows
    assert math.isnan(float(row.values[0]))


def test_an_answer_without_rows_is_one() -> None:
    assert parse_rrd_updates(rrds.as_json(LEGEND, [])).rows == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>error</html>",
        b'{"meta":{}}',
        b"<xport><meta>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><xport/>',
        b"[]",
    ],
)
def test_what_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue, match="rrd_updates"):
        parse_rrd_updates(body)
