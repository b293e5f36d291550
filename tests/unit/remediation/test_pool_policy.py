"""A policy with guests of a pool beside those of this host: which subject, rule and action mean which."""

from pathlib import Path

import pytest
from story import CATALOGUE

from xenwatch.base.errors import ConfigError
from xenwatch.config.xapi import XapiSettings, contradictions_of_pool, repair_accesses
from xenwatch.model.action import Alert
from xenwatch.model.subject import Subject
from xenwatch.remediation.policy.inventory import selects
from xenwatch.remediation.policy.loader import parse_policy
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.registry import risks
from xenwatch.remediation.store.triggers import trigger_of_alert

GUESTS = """
[remediation]
host = "xen1"
[[guest]]
name = "web"
uuid = "11111111-1111-4111-8111-111111111111"
[[guest]]
name = "web"
uuid = "22222222-2222-4222-8222-222222222222"
pool = "prod"
[[guest]]
name = "Windows 2022 (billing)"
uuid = "33333333-3333-4333-8333-333333333333"
pool = "prod"
"""


def read(text: str) -> Policy:
    return parse_policy(text, Path("policy.toml"), risks(CATALOGUE))


def test_a_guest_of_a_pool_may_be_called_what_people_like_and_as_one_of_this_host() -> None:
    inventory = read(GUESTS).inventory
    assert [str(guest.subject) for guest in inventory.guests] == [
        "domain/web",
        "prod:domain/web",
        "prod:domain/Windows 2022 (billing)",
    ]
    assert inventory.guest(Subject("domain", "web")) is inventory.guests[0]
    assert inventory.guest(Subject("domain", "web", host="prod")) is inventory.guests[1]
    assert inventory.guest(Subject("domain", "web", host="lab")) is None
    assert inventory.guest(Subject("domain", "web", inventory.guests[0].uuid, host="prod")) is None


def test_a_name_that_no_program_takes_is_refused_where_programs_are_used() -> None:
    with pytest.raises(ConfigError, match="cannot be used as a domain's name"):
        read(GUESTS.replace('pool = "prod"\n', "").replace('"web"\nuuid = "2', '"db"\nuuid = "2'))


@pytest.mark.parametrize(
    ("selector", "subject", "selected"),
    [
        ("sr:prod/*", Subject("sr", "shared", host="prod"), True),
        ("sr:prod/shared", Subject("sr", "shared", host="prod"), True),
        ("host:prod/xcp1", Subject("host", "xcp1", host="prod"), True),
        ("host:*", Subject("host", "xcp1", host="prod"), False),
        ("host:xcp1", Subject("host", "xcp1", host="prod"), False),
        ("sr:*/shared", Subject("sr", "shared", host="prod"), False),
        ("sr:lab/*", Subject("sr", "shared", host="prod"), False),
        ("sr:prod/*", Subject("sr", "shared"), False),
        ("host:*", Subject("host", "xen1"), True),
    ],
)
def test_a_part_of_a_pool_is_selected_with_the_name_of_its_pool_alone(
    selector: str, subject: Subject, selected: bool
) -> None:
    assert selects([selector], subject, None) is selected


@pytest.mark.parametrize(
    ("action", "subject", "acts"),
    [
        ("pool_vm_start", Subject("domain", "web", host="prod"), True),
        ("pool_vm_start", Subject("domain", "web"), False),
        ("domain_start", Subject("domain", "web", host="prod"), False),
        ("domain_start", Subject("domain", "web"), True),
        ("pool_host_evacuate", Subject("host", "xen1"), False),
        ("notify", Subject("sr", "shared", host="prod"), True),
    ],
)
def test_an_action_is_for_pools_or_for_this_host_and_a_message_for_both(
    action: str, subject: Subject, acts: bool
) -> None:
    assert CATALOGUE[action].acts_on(subject) is acts


@pytest.mark.parametrize(("pool", "meant"), [("prod", "prod:domain/web"), ("", "domain/web"), ("lab", "domain/web")])
def test_an_alert_with_the_label_of_a_pool_means_the_guest_there(pool: str, meant: str) -> None:
    labels = {"alertname": "XenDomainDown", "domain": "web"} | ({"pool": pool} if pool else {})
    trigger = trigger_of_alert(Alert("f", "2026-11-30T00:00:00Z", True, labels), read(GUESTS).inventory)
    assert str(trigger.target) == meant


def test_a_pool_is_acted_on_only_where_it_has_an_account_for_that(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("x")
    given = {"urls": ("https://xcp1",), "user": "monitor", "password_file": secret}
    watched = XapiSettings(**given)
    repaired = XapiSettings(**given, repair_user="repairs", repair_password_file=secret)
    assert list(repair_accesses({"lab": watched, "prod": repaired})) == ["prod"]
    assert repair_accesses({"prod": repaired})["prod"].user == "repairs"
    half = XapiSettings(**given, repair_user="repairs")
    assert [key for key, _ in contradictions_of_pool("prod", half)] == ["xapi.prod.repair_user"]
