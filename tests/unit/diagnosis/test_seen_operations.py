"""Operations are found by guest and by domid among thousands, and the oldest make way without a trace."""

from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.diagnosis.operations.seen import MOST_OPERATIONS, SeenOperations
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.model.operation import Operation
from xenwatch.triage.diagnose import diagnose


def created(number: int, name: str | None, domid: int | None = None, host: str | None = None) -> Operation:
    return Operation(f"xend.log:{number}", "create", name, domid, host=host)


def ids(seen: SeenOperations, name: str | None, domid: int | None = None, host: str | None = None) -> list[str]:
    return [operation.id.partition(":")[2] for operation in seen.about(host, name, domid)]


def test_a_guest_is_found_by_name_and_by_domid_newest_first() -> None:
    seen = SeenOperations([created(1, "web", 3), created(2, "db", 4), created(3, None, 3), created(4, "web")])
    assert ids(seen, "web") == ["4", "1"]
    assert ids(seen, None, 3) == ["3", "1"]
    assert ids(seen, "web", 4) == ["4", "2", "1"]
    assert ids(seen, "mail") == []


def test_a_domid_that_is_learnt_later_counts_in_the_order_of_age() -> None:
    seen = SeenOperations([created(1, "web"), created(2, None, 3)])
    seen.change(replace(created(1, "web"), domid=3))
    assert ids(seen, None, 3) == ["2", "1"]
    assert seen["xend.log:1"].domid == 3


def test_a_guest_of_another_host_is_another() -> None:
    seen = SeenOperations([created(1, "web", host="xen1"), created(2, "web", host="xen2")])
    assert ids(seen, "web", host="xen1") == ["1"]
    assert ids(seen, "web") == []


def test_the_oldest_makes_way_and_can_be_asked_for_until_the_round_ends() -> None:
    seen = SeenOperations([created(1, "web"), created(2, "db"), created(3, "mail")], most=2)
    assert [operation.target for operation in seen] == ["db", "mail"]
    assert ids(seen, "web") == []
    assert seen["xend.log:1"].target == "web"
    seen.end_round()
    with pytest.raises(KeyError):
        seen["xend.log:1"]


def test_a_log_of_more_operations_than_are_remembered_is_read_to_its_end(tmp_path: Path) -> None:
    """One event in each of them, all judged in one round: the first ones are forgotten by then."""
    crash = "[2011-05-18 20:55:04 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=vm{n} id={n}.\n"
    (tmp_path / "xend.log").write_text("".join(crash.format(n=n) for n in range(1, MOST_OPERATIONS + 50)))
    report = diagnose([str(tmp_path)], rules_with((), tmp_path), cache=tmp_path / "cache")
    assert "domain/vm1" in {str(incident.diagnosis.subject) for incident in report.incidents}
