"""Which hosts a bundle tells of, and what is done with the name of the only one."""

import pytest

from xenwatch.diagnosis.domain_registry import DomainRegistry
from xenwatch.diagnosis.hosts import BundleHosts, Origin, host_name
from xenwatch.logs.format import all_formats
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, LogRecord, Position, Source, TimeHint
from xenwatch.model.subject import HOST, Subject

LINE = "May 18 20:55:03 {host} xenstored: something\n"


def log(hosts: BundleHosts, path: str, *names: str) -> Source:
    source = Source(path, all_formats()["syslog"])
    data = "".join(LINE.format(host=name) for name in names).encode()
    hosts.see(Chunk(source, data, Position(path, 0), TimeHint(0.0), True))
    return source


def event(source: Source, header: str | None) -> Event:
    return Event("e", HOST, 1.0, {}, LogRecord(source, "text", 1.0, True, Position("g", 0), host=header), "r")


def settled(hosts: BundleHosts, read: Event) -> Event:
    return hosts.settled_events([read])[0]


@pytest.mark.parametrize(
    ("header", "name"),
    [("xen1", "xen1"), ("XEN1.example.org", "xen1"), ("10.0.0.1", "10.0.0.1"), ("localhost", None),
     ("localhost.localdomain", None), ("12", None)],
)  # fmt: skip
def test_a_header_gives_the_hosts_short_name(header: str, name: str | None):
    assert host_name(header) == name


def test_one_host_under_its_short_and_its_long_name_is_one():
    hosts = BundleHosts()
    log(hosts, "a/messages", "xen1", "xen1.example.org", "localhost")
    assert not hosts.several
    assert hosts.host_of(Origin(None, "a", "xen1")) is None


def test_a_line_without_a_header_is_of_the_one_host_that_its_log_names():
    hosts = BundleHosts()
    first = log(hosts, "logs/xen1.messages", "xen1")
    log(hosts, "logs/xen2.messages", "xen2")
    assert settled(hosts, event(first, None)).subject.host == "xen1"


def test_a_log_that_nothing_names_is_nobodys_beside_two_hosts():
    hosts = BundleHosts()
    log(hosts, "logs/messages", "xen1", "xen2")
    xend = Source("logs/xend.log", all_formats()["xend"])
    hosts.see_file(xend.path, None)
    assert settled(hosts, event(xend, None)).subject.host is None


def test_on_the_host_that_is_asked_itself_it_is_of_that_host():
    hosts = BundleHosts(here="xen1")
    log(hosts, "logs/messages", "xen1", "xen2")
    assert hosts.host_of(Origin(None, "xen")) == "xen1"


def test_a_folders_host_is_the_one_name_that_its_logs_tell():
    hosts = BundleHosts()
    log(hosts, "first/var/log/messages", "xen1")
    log(hosts, "second/var/log/messages", "xen2")
    assert hosts.host_of(Origin(None, "second/var/log/xen")) == "xen2"


def test_the_host_whose_events_went_on_without_a_name_goes_on_so_when_a_second_comes():
    hosts = BundleHosts()
    first = log(hosts, "a/messages", "xen1")
    hosts.go_on_unnamed()
    second = log(hosts, "b/messages", "xen2")
    assert settled(hosts, event(first, "xen1")).subject.host is None
    assert settled(hosts, event(second, "xen2")).subject.host == "xen2"


def test_each_host_has_its_own_domids_once_they_are_divided():
    registry = DomainRegistry()
    registry.learn({"domain": "web", "domid": "5"}, 1.0, Origin(None, "xen1"))
    registry.learn({"domain": "db", "domid": "5"}, 2.0, Origin(None, "xen2"))
    registry.divide(lambda origin: origin.folder)
    assert registry.name_of(5, 1.0, "xen1") == "web"
    assert registry.name_of(5, 1.0, "xen2") == "db"
    assert registry.name_of(5, 1.0, "xen3") is None
    nameless = Subject("domain", "5", domid=5)
    assert registry.complete(nameless.on("xen2"), 1.0) == Subject("domain", "db", domid=5, host="xen2")


def test_of_one_host_every_log_teaches_all_others():
    registry = DomainRegistry()
    registry.learn({"domain": "web", "domid": "5"}, 1.0, Origin(None, "logs/a"))
    registry.notice_owner(Subject("domain", "web"), 1.0, Origin(None, "logs/b"))
    registry.divide(lambda _origin: None)
    assert registry.name_of(5, 1.0) == "web"


def test_what_is_said_of_a_stub_domain_is_about_the_guest_it_serves():
    registry = DomainRegistry()
    registry.learn({"domain": "web", "domid": "5"}, 1.0)
    registry.learn({"domain": "web-dm", "domid": "6"}, 1.0)
    assert registry.complete(Subject("domain", "6", domid=6), 2.0) == Subject("domain", "web")
    assert registry.named(Subject("domain", "web-dm"), 2.0) == Subject("domain", "web")


def test_a_guest_whose_name_only_ends_like_that_of_a_stub_domain_keeps_it():
    registry = DomainRegistry()
    registry.learn({"domain": "mail-dm", "domid": "5"}, 1.0)
    assert registry.complete(Subject("domain", "5", domid=5), 2.0) == Subject("domain", "mail-dm", domid=5)
