"""Xen's list and libvirt's become one, whatever either misses, and names stay what people know."""

from xenwatch.host.inventory import Domain, join
from xenwatch.host.libvirt.domains import VirDomain
from xenwatch.host.parse.xl_list import XlDomain

MIB = 1024**2
A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


def xl(domid: int, name: str | None, uuid: str = A, flags: str = "-b----", cpu: float = 1.0) -> XlDomain:
    return XlDomain(domid, name, uuid, 512 * MIB, 1, flags, cpu, None)


def vir(name: str, uuid: str = A, domid: int | None = None, state: str = "running", cpu: float = 1.0) -> VirDomain:
    return VirDomain(name, uuid, domid, state, "booted", True, False, cpu, 512 * MIB, 1024 * MIB, 1)


def only(domains: tuple[Domain, ...]) -> Domain:
    (domain,) = domains
    return domain


def test_a_guest_made_by_xl_is_there_though_libvirt_does_not_know_it() -> None:
    domain = only(join([xl(3, "web")], []).domains)
    assert (domain.name, domain.domid, domain.known_to, domain.persistent) == ("web", 3, {"xl"}, None)


def test_a_guest_known_to_both_is_one_with_libvirts_finer_numbers() -> None:
    domain = only(join([xl(3, "web", cpu=1.2)], [vir("web", domid=3, cpu=1.2345)]).domains)
    assert (domain.known_to, domain.cpu_seconds, domain.maximum_bytes) == ({"xl", "libvirt"}, 1.2345, 1024 * MIB)
    assert (domain.state, domain.persistent) == ("blocked", True)


def test_a_defined_guest_that_xen_does_not_run_is_shut_off_whatever_libvirt_last_saw() -> None:
    domain = only(join([], [vir("web", domid=3, state="running")]).domains)
    assert (domain.state, domain.domid, domain.cpu_seconds) == ("shutoff", None, None)


def test_a_transient_guest_that_xen_does_not_run_is_gone() -> None:
    gone = VirDomain("web", A, 3, "running", None, persistent=False, autostart=False)
    assert join([], [gone]).domains == ()


def test_a_reused_domid_does_not_give_one_guest_the_numbers_of_another() -> None:
    domains = {d.name: d for d in join([xl(3, "new", B, cpu=0.1)], [vir("old", A, domid=3, cpu=900.0)]).domains}
    assert (domains["new"].cpu_seconds, domains["new"].known_to) == (0.1, {"xl"})
    assert domains["old"].state == "shutoff"


def test_a_restarted_guest_does_not_keep_the_numbers_of_its_former_life() -> None:
    domain = only(join([xl(9, "web", cpu=0.5)], [vir("web", domid=3, cpu=900.0)]).domains)
    assert (domain.domid, domain.cpu_seconds, domain.reason) == (9, 0.5, None)


def test_old_answers_of_libvirt_serve_for_what_does_not_change_only() -> None:
    domain = only(join([xl(3, "web", cpu=5.0)], [vir("web", domid=3, cpu=1.0)], fresh=False).domains)
    assert (domain.persistent, domain.cpu_seconds) == (True, 5.0)


def test_of_two_ends_of_a_migration_the_one_that_runs_is_meant() -> None:
    both = join([xl(3, "web--migratedaway", flags="---s--"), xl(4, "web", flags="r-----")], [])
    assert only(both.domains).domid == 4
    before = join([xl(3, "web", flags="-b----"), xl(4, "web--incoming", flags="--p---")], [])
    assert only(before.domains).domid == 3
    assert before.domids == {3, 4}


def test_a_guest_that_only_ends_like_a_migrating_one_keeps_its_name() -> None:
    assert only(join([xl(3, "web-incoming")], []).domains).name == "web-incoming"


def test_nameless_domains_are_counted_and_have_no_series() -> None:
    joined = join([xl(3, None, flags="--ps-d"), xl(4, "web", B)], [])
    assert (joined.nameless, [d.name for d in joined.domains]) == (1, ["web"])


def test_a_nameless_domain_that_libvirt_knows_keeps_its_name() -> None:
    joined = join([xl(3, None, flags="-----d")], [vir("web", domid=3)])
    assert (only(joined.domains).name, only(joined.domains).state) == ("web", "dying")


def test_without_a_list_of_xens_own_libvirts_is_believed() -> None:
    joined = join(None, [vir("web", domid=3), vir("db", B, state="shutoff")])
    assert [(d.name, d.state) for d in joined.domains] == [("web", "running"), ("db", "shutoff")]
