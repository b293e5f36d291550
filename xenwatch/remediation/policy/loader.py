"""Reads the policy from its TOML file; all mistakes are reported at once."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from xenwatch.base.errors import ConfigError, InputError, Problem
from xenwatch.base.toml_file import parse_toml, read_toml
from xenwatch.base.toml_tables import TomlFile, TomlTable
from xenwatch.model.action import MODES, RISKS, Risk
from xenwatch.remediation.machine.port import name_of, path_of
from xenwatch.remediation.machine.power import power_words
from xenwatch.remediation.policy.inventory import Desired, Guest, Lease, ManagedHost, ManagedInventory, Toolstack
from xenwatch.remediation.policy.policy import (
    BLOCKERS,
    DAY,
    DEFAULT_LIMITS,
    HOUR,
    CooldownLimits,
    Limit,
    Policy,
    PolicyRule,
    Rung,
    StormLimit,
)


def load_policy(path: Path, actions: Mapping[str, Risk], aside: list[Problem] | None = None) -> Policy:
    """The policy in a file; ConfigError lists every mistake. `actions`: the catalogue's names and risks.

    With `aside`, a guest with a mistake is left out, so that nothing is ever done to it, and its mistakes go there:
    one name that no action takes must not keep all other guests from being looked after.
    """
    text, content = read_toml(path)
    return _checked(text, content, path, actions, aside)


def parse_policy(text: str, path: Path, actions: Mapping[str, Risk]) -> Policy:
    """The policy in a text; see load_policy."""
    return _checked(text, parse_toml(text, path), path, actions, None)


def _checked(
    text: str, content: Mapping[str, Any], path: Path, actions: Mapping[str, Risk], aside: list[Problem] | None
) -> Policy:
    file = TomlFile(path, text)

    def inventory(top: TomlTable, here: str) -> ManagedInventory:
        return _inventory(top, here, file.problems, aside)

    policy = _policy(TomlTable(content, file), inventory, hashlib.sha256(text.encode()).hexdigest(), actions)
    if file.problems:
        raise ConfigError(file.problems)
    return policy


def _policy(
    top: TomlTable,
    inventory: Callable[[TomlTable, str], ManagedInventory],
    digest: str,
    actions: Mapping[str, Risk],
) -> Policy:
    main, storm, breaker = top.table("remediation"), top.table("storm"), top.table("breaker")
    approval, limits, maintenance = top.table("approval"), top.table("limits"), top.table("maintenance")
    guest, fleet = limits.table("guest"), limits.table("fleet")
    policy = Policy(
        inventory=inventory(top, main.text("host", "dom0")),
        enabled=main.flag("enabled", True),
        mode=main.choice("mode", "observe", MODES),
        services=main.texts("services"),
        core_dump_dir=main.text("core_dump_dir", "/var/lib/xen/dump"),
        migrate_timeout=main.duration("migrate_timeout", HOUR),
        min_free_mib=main.whole("state_dir_min_free_mib", 256),
        cooldown=CooldownLimits(
            guest.duration("cooldown", 600.0), guest.duration("stability", HOUR),
            guest.duration("longest_cooldown", DAY),
        ),
        limits=_limits(limits, guest, actions),
        fleet=Limit(
            fleet.whole("max_actions", 20), fleet.duration("window", HOUR), fleet.whole("max_concurrent", 2, 1)
        ),
        storm=StormLimit(
            storm.share("max_unhealthy", 0.3), storm.whole("min_count", 3, 1), storm.duration("within", 300.0),
            storm.duration("cooldown", 900.0),
        ),
        breaker_after=breaker.whole("open_after", 3, 1),
        approval_ttl=approval.duration("ttl", 900.0),
        four_eyes_from=approval.choice("four_eyes_from", "L3", RISKS),
        maintenance_ttl=maintenance.duration("max_ttl", 3 * DAY),
        rules=tuple(_rule(table, actions) for table in top.tables("rule")),
        hash=digest,
    )  # fmt: skip
    _check_words(top, main, policy)
    for table in (top, main, storm, breaker, approval, limits, guest, fleet, maintenance):
        table.done()
    return policy


def _check_words(top: TomlTable, main: TomlTable, policy: Policy) -> None:
    _usable(main, "core_dump_dir", policy.core_dump_dir, path_of, "a folder")
    for service in policy.services:
        _usable(main, "services", service, name_of, "a service")
    names = [rule.name for rule in policy.rules]
    top.need("rule", len(set(names)) == len(names), "two rules have the same name")


def _limits(limits: TomlTable, guest: TomlTable, actions: Mapping[str, Risk]) -> dict[str, Limit]:
    result = dict(DEFAULT_LIMITS)
    tables = {"global": limits.table("global"), "host": limits.table("host"), "guest": guest}
    for group, allowed in (("class", set(RISKS)), ("action", set(actions))):
        group_table = limits.table(group)
        for name in group_table.names():
            group_table.need(
                name, name in allowed, f"is not a known {group}; write one of {', '.join(sorted(allowed))}"
            )
            tables[f"{group}.{name}"] = group_table.table(name)
    for key, table in tables.items():
        default = DEFAULT_LIMITS.get(key, Limit(1, HOUR))
        result[key] = Limit(
            table.whole("max_actions", default.max_actions), table.duration("window", default.window),
            table.whole("max_concurrent", default.max_concurrent),
        )  # fmt: skip
        if key != "guest":
            table.done()
    return result


def _inventory(top: TomlTable, here: str, problems: list[Problem], aside: list[Problem] | None) -> ManagedInventory:
    hosts = tuple(_host(table) for table in top.tables("host"))
    names = {here, *(host.name for host in hosts)}
    guests = []
    for nth, table in enumerate(top.tables("guest")):
        before, guest = len(problems), _guest(table)
        unnamed = set(guest.placement) - names
        top.need(f"guest[{nth}].placement", not unnamed, f"has hosts without a [[host]]: {', '.join(sorted(unnamed))}")
        if aside is not None and len(problems) > before:
            aside += problems[before:]
            del problems[before:]
        else:
            guests.append(guest)
    unique = len({g.uuid for g in guests}) == len(guests) == len({(g.pool, g.name) for g in guests})
    top.need("guest", unique, "two guests share a name or a uuid")
    return ManagedInventory(here, tuple(guests), hosts)


def _guest(table: TomlTable) -> Guest:
    guest = Guest(
        name=table.text("name"), uuid=table.text("uuid").lower(),
        toolstack=table.choice("toolstack", "xl", get_args(Toolstack)), config=table.text("config"),
        desired=table.choice("desired", "unmanaged", get_args(Desired)), owner=table.text("owner"),
        tags=table.texts("tags"), placement=table.texts("placement"),
        shared_storage=table.flag("shared_storage", False), lease=table.choice("lease", "", get_args(Lease)),
        address=table.text("address"), health=table.texts("health"),
        memory_min_mib=table.whole("memory_min_mib", 0), memory_max_mib=table.whole("memory_max_mib", 0),
        core_dump=table.flag("core_dump", False), keep_apart=table.texts("keep_apart"), pool=table.text("pool"),
    )  # fmt: skip
    table.need("name", bool(guest.name) and bool(guest.uuid), "a guest needs a name and a uuid")
    if not guest.pool:  # a pool's guest goes by its uuid, and people there call it what they like
        _usable(table, "name", guest.name, name_of, "a domain's name")
    _usable(table, "pool", guest.pool, name_of, "the name of a pool")
    _usable(table, "uuid", guest.uuid, name_of, "a uuid")
    _usable(table, "config", guest.config, path_of, f"the configuration of {guest.name}")
    table.done()
    return guest


def _host(table: TomlTable) -> ManagedHost:
    host = ManagedHost(
        name=table.text("name"), address=table.text("address"), machine_id=table.text("machine_id"),
        fencing=table.text("fencing"), power=table.texts("power"), reserve_mib=table.whole("reserve_mib", 512),
    )  # fmt: skip
    table.need("name", bool(host.name) and bool(host.address), "a host needs a name and an address")
    _usable(table, "name", host.name, name_of, "a host's name")
    _usable(table, "address", host.address, name_of, "a host's address")
    try:
        power_words(host.power)
    except InputError as error:
        table.need("power", False, str(error))
    table.done()
    return host


def _usable(table: TomlTable, key: str, text: str, read: Callable[[str, str], str], what: str) -> None:
    """Report what no order would take, where it is written: an action must not find out at three in the morning."""
    if text:
        try:
            read(text, what)
        except InputError as error:
            table.need(key, False, str(error))


def _rule(table: TomlTable, actions: Mapping[str, Risk]) -> PolicyRule:
    when, scope = table.table("when"), table.table("scope")
    rule = PolicyRule(
        name=table.text("name"), mode=table.choice("mode", "observe", MODES),
        max_risk=table.choice("max_risk", "L1", RISKS), diagnosis=when.text("diagnosis"), class_=when.text("class"),
        alert=when.text("alert"), labels=when.pairs("labels"), holds_for=when.duration("for", 0.0),
        selectors=_selectors(scope), max_targets=scope.whole("max_targets", 1, 1),
        blocked_by=table.texts("blocked_by"), ladder=tuple(_rung(rung, actions) for rung in table.tables("ladder")),
    )  # fmt: skip
    table.need("name", bool(rule.name), "a rule needs a name")
    table.need("when", bool(rule.diagnosis or rule.class_ or rule.alert), "name a diagnosis, a class or an alert")
    table.need("ladder", bool(rule.ladder), "a rule needs at least one action")
    for blocker in rule.blocked_by:
        kind, _, pattern = blocker.partition(":")
        table.need(
            "blocked_by", kind in BLOCKERS and bool(pattern), f"{blocker}: write alert:…, diagnosis:… or class:…"
        )
    for rung in rule.ladder:
        fits = RISKS.index(actions.get(rung.action, "L0")) <= RISKS.index(rule.max_risk)
        table.need("ladder", fits, f"{rung.action} is {actions.get(rung.action)}, above max_risk {rule.max_risk}")
    for part in (table, when, scope):
        part.done()
    return rule


def _selectors(scope: TomlTable) -> tuple[str, ...]:
    """`selector = "tag:x"` or `selectors = [...]`. An empty scope is allowed and selects nothing."""
    single = scope.text("selector")
    selectors = (*((single,) if single else ()), *scope.texts("selectors"))
    scope.need("selector", all(":" in s for s in selectors), "write it like tag:web, name:web*, uuid:… or host:xen1")
    return selectors


def _rung(table: TomlTable, actions: Mapping[str, Risk]) -> Rung:
    rung = Rung(
        action=table.text("action"), params=table.pairs("params"), max=table.whole("max", 1, 1),
        every=table.duration("every", 600.0),
        needs_approval=table.choice("require", "", ("", "approval")) == "approval",
    )  # fmt: skip
    table.need("action", rung.action in actions, f"is not in the catalogue; write one of {', '.join(sorted(actions))}")
    table.done()
    return rung
