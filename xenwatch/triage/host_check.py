"""`check host`: runs the standing checks on this host, or on each host of a bundle; what is not known is said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.config.assembly import ways_to
from xenwatch.config.sections import Config
from xenwatch.diagnosis.correlation.standing import CheckResult, checks_among, judge
from xenwatch.diagnosis.hosts import BundleHosts, Origin
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, Condition, FactCondition, Rule
from xenwatch.diagnosis.ruleset import rules_with, standing_checks
from xenwatch.facts.derived import DERIVED_FROM, DERIVED_TELLS, derived
from xenwatch.facts.live import PART_DEADLINE, detect
from xenwatch.facts.saved import READERS
from xenwatch.facts.xapi import POOLS_ALONE
from xenwatch.host.host import Host, is_control_domain, open_host
from xenwatch.host.paths import Paths
from xenwatch.model.fact import Fact
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.live_probe import own_name
from xenwatch.triage.report import SkippedFile

_TELLS = {reader.name: reader.tells for reader in READERS}


@dataclass(frozen=True, slots=True)
class HostCheck:
    """What the checks say of one host."""

    host: str | None
    results: tuple[CheckResult, ...]
    silent: tuple[SkippedFile, ...] = ()
    """What was asked and gave no answer."""
    old: bool = False
    """xend runs it, so that commands are typed with xm."""

    def of_severity(self, severities: Collection[str]) -> "HostCheck":
        """Only the checks of these."""
        return replace(self, results=tuple(r for r in self.results if r.rule.severity in severities))

    @property
    def could_tell(self) -> bool:
        """Whether any check could be made."""
        return any(result.verdict != "unknown" for result in self.results)


def all_checks(own: Sequence[Path], cache: Path | None) -> list[Rule]:
    """The standing checks first, then what of the known failures facts alone can decide, pools' left out."""
    known = (rule for rule in checks_among(rules_with(own, cache)) if not _is_of_pools(rule.when))
    return [*checks_among(standing_checks(cache)), *known]


def _is_of_pools(condition: Condition) -> bool:
    if isinstance(condition, AllOf | AnyOf):
        return all(map(_is_of_pools, condition.parts))
    return isinstance(condition, FactCondition) and condition.fact.startswith(POOLS_ALONE)


async def check_this_host(
    config: Config,
    checks: Sequence[Rule],
    clock: Clock,
    paths: Paths = Paths(),  # noqa: B008 - frozen
) -> HostCheck:
    """Asks the host once. InputError where it runs no Xen."""
    host = open_host(clock, paths=paths, **ways_to(config.sampling))
    try:
        return await check_through(host, checks, here=not config.sampling.ssh and not config.sampling.simulated)
    finally:
        await host.close()


async def check_through(host: Host, checks: Sequence[Rule], *, here: bool = True) -> HostCheck:
    """The same over connections that are open already."""
    if here and not is_control_domain(host.paths):
        raise InputError(
            "this machine is not a dom0 (/proc/xen/capabilities has no control_d); "
            "to check another host, name a bundle of it: xenwatch check host BUNDLE"
        )
    late: list[str] = []
    told: set[str] = set()
    facts = await detect(host, once=True, late=late, told=told)
    silent = tuple(SkippedFile(name, f"no answer within {PART_DEADLINE:g} s") for name in late)
    return HostCheck(own_name(host), _results(checks, facts, told, host.clock.now()), silent, _is_xends(facts))


def check_bundle(
    paths: Sequence[str], checks: Sequence[Rule], now: float, *, host: str | None = None
) -> tuple[HostCheck, ...]:
    """Each host of a bundle. InputError where nothing in it says how a host is set up."""
    bundle, hosts = Bundle(paths, now=now, host=host), BundleHosts(always=bool(host))
    learnt: list[tuple[Fact, Origin]] = []
    answered: list[tuple[str, Origin]] = []
    for entry in bundle.entries():
        origin = hosts.see_file(entry.path, entry.host)
        learnt += [(fact, origin) for fact in entry.facts]
        answered += [(name, origin) for name in _TELLS.get(entry.format, ())]
        if entry.source is not None and (chunk := next(entry.chunks(), None)):
            hosts.see(chunk)  # the head of a log says which host wrote it
    if not learnt:
        raise InputError(f"{', '.join(paths)}: no output of a command and no configuration of a Xen host is in it")
    by_host: dict[str | None, tuple[list[Fact], set[str]]] = {}
    for fact, origin in learnt:
        by_host.setdefault(hosts.host_of(origin), ([], set()))[0].append(hosts.settled_fact(fact, origin))
    for name, origin in answered:
        by_host.setdefault(hosts.host_of(origin), ([], set()))[1].add(name)
    name_of_one = next(iter(hosts.names), None) if len(by_host) == 1 else None
    return tuple(
        HostCheck(name or name_of_one, _results(checks, facts, told, now), old=_is_xends(facts))
        for name, (facts, told) in by_host.items()
    )


def _results(checks: Sequence[Rule], facts: list[Fact], told: set[str], now: float) -> tuple[CheckResult, ...]:
    return tuple(judge(checks, [*facts, *derived(facts, now)], {*told, *DERIVED_TELLS}, now))


def _is_xends(facts: Sequence[Fact]) -> bool:
    """As the toolstack that answers says it; in a bundle, by the configuration that is there."""
    stacks = next((fact.value for fact in facts if fact.name == "host.toolstacks"), None)
    if isinstance(stacks, tuple) and stacks:
        return "xend" in stacks
    names = {fact.name.partition(".")[0] for fact in facts}
    return "xend" in names and "xl" not in names


def sources_of(fact: str) -> tuple[str, ...]:
    """The commands and files that tell a fact, for a person who wants to know it."""
    names = (fact, DERIVED_FROM.get(fact, fact))
    return tuple(reader.name for reader in READERS if reader.tells and any(n.startswith(reader.tells) for n in names))
