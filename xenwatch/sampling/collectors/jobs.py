"""Jobs that hold a guest: save, migration, core dump; how long each has taken, as libvirt and xl's processes tell."""

from collections.abc import Iterable, Iterator, Sequence

from xenwatch.base.errors import HostError, Unsupported
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.processes import Process, boot_time, named
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Session
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

ELAPSED = Metric(
    "xen_domain_job_elapsed_seconds",
    "gauge",
    "How long a job on a domain has been running; absent without one. libvirt's Xen driver does not name it",
    ("domain", "kind"),
)
JOBS = Metric("xen_hypervisor_jobs", "gauge", "Saves, migrations, dumps and other jobs on domains that are under way")
_WORDS = ("save", "migrate", "dump-core")
"""Of xl; `xl create` and `xl restore` stay behind as the guest's monitor, so that their process says nothing."""
_WITH_VALUE = ("-s", "-C")
"""Options of `xl migrate` that are followed by a word of their own: the ssh command, the configuration."""


async def _collect(host: Host) -> Sequence[Sample]:
    if host.libvirt is None and host.toolstack is None:
        raise Unsupported("jobs: neither xl nor libvirt is there")
    inventory = await host.domains.known(max_age=15.0)
    processes = await host.aside.run(lambda: list(named(host.paths.proc, b"xl")))
    booted = boot_time(host.paths.proc)
    jobs = {} if booted is None else dict(of_xl(processes, inventory, host.clock.now() - booted))
    if host.libvirt is not None:
        jobs |= await _of_libvirt(host, inventory)
    return [Sample(JOBS, (), float(len(jobs))), *(Sample(ELAPSED, *job) for job in sorted(jobs.items()))]


def of_xl(
    processes: Iterable[Process], inventory: DomainInventory, uptime: float
) -> Iterator[tuple[tuple[str, str], float]]:
    """(domain, word) and seconds of each `xl save web file` and the like; the guest is given by name or domid."""
    for process in processes:
        words = _without_options(process.command[1:])
        if len(words) > 1 and words[0] in _WORDS:
            domain = inventory.by_domid.get(int(words[1])) if words[1].isdecimal() else None
            name = domain.name if domain is not None else words[1]
            if name in inventory.names:
                yield (name, words[0]), max(0.0, uptime - process.started)


def _without_options(command: Sequence[str]) -> list[str]:
    words, rest = [], iter(command)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            words.append(word)
    return words


async def _of_libvirt(host: Host, inventory: DomainInventory) -> dict[tuple[str, str], float]:
    """A driver without jobs, or a libvirt that does not answer, takes nothing from what xl's processes tell."""
    if host.libvirt is None:
        return {}
    try:
        return await host.libvirt.run("jobs", lambda session: _ask(session, inventory.names), 8.0)
    except HostError:
        if host.toolstack is None:
            raise
        return {}


def _ask(session: Session, names: frozenset[str]) -> dict[tuple[str, str], float]:
    """In libvirt's thread. The call does not wait behind the job that it asks about."""
    jobs = {}
    active = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
    for domain in session.call("connectListAllDomains", session.connection.listAllDomains, active):
        try:
            kind, milliseconds, *_ = session.call("domainGetJobInfo", domain.jobInfo)
        except libvirt.libvirtError:
            continue  # it went away meanwhile
        if kind != libvirt.VIR_DOMAIN_JOB_NONE and (name := domain.name()) in names:
            jobs[name, "libvirt"] = milliseconds / 1e3
    return jobs


COLLECTOR = Collector(name="jobs", metrics=(ELAPSED, JOBS), begin=lambda: _collect, interval=15.0, deadline=10.0)
