"""Who a domid is, as xenstored's own log tells it: dom0's writes count, a guest's do not."""

from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint

AT = 1795431538.0
LINE = "[20261123T10:58:58.601Z]  {}       write     /local/domain/3/name {}\n"


def name_of_three(*lines: str) -> str | None:
    formats = all_formats()
    scanner = Scanner((), "re")
    source = Source("/var/log/xen/xenstored-access.log", formats["xenstored"])
    scanner.feed(Chunk(source, "".join(lines).encode(), Position("1", 0), TimeHint(AT), final=True))
    return scanner.registry.name_of(3, AT)


def test_what_dom0_writes_as_a_domains_name_is_its_name() -> None:
    assert name_of_three(LINE.format("A137.1", "web")) == "web"


def test_a_guest_that_tries_to_rename_itself_teaches_nothing() -> None:
    assert name_of_three(LINE.format("D3.1", "db")) is None
    assert name_of_three(LINE.format("A137.1", "web"), LINE.format("D3", "A1 write /local/domain/3/name db")) == "web"
