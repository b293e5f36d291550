"""I25 to I33: no reach without a lease, time that cannot be stepped, ends that are true, words that stay words."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulated_host import WEB
from story import CATALOGUE, Story

from xenwatch.agent.metrics.remediation import RUNS, UNKNOWN, samples
from xenwatch.base.errors import InputError
from xenwatch.model.action import Alert
from xenwatch.remediation.machine.libvirt_calls import call
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Order, name_of, path_of
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.store import outbox
from xenwatch.remediation.store.triggers import trigger_of_alert

SHARED = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}


BY_ITSELF = [name for name, action in CATALOGUE.items() if action.cross_host and action.risk != "L4"]
"""What a policy may let happen without a person; L4 never happens so."""


@pytest.mark.parametrize("action", BY_ITSELF)
async def test_i25_without_a_lease_nothing_reaches_another_host_by_itself(tmp_path, action):
    rule = {"ladder": [{"action": action, "params": {"to": "xen2"}}]}
    if action == "host_evacuate":
        rule["scope"] = {"selector": "host:xen1"}
    hosts = {"xen1": {"web": "running", "db": "running"}}
    story = Story(tmp_path, {"hosts": hosts, "web": SHARED, "db": SHARED, "rule": rule})
    of = "host/xen1" if action == "host_evacuate" else "web"
    await story.play([{"incident": {"rule": "guest-down", "of": of}}, {"tick": 3}])
    assert [run.state for run in await story.service.runs()] == ["awaiting_approval"]
    assert story.world.effects == []
    story.service.close()


def test_i25_every_action_with_an_order_for_another_host_says_so():
    assert {name for name, a in CATALOGUE.items() if a.cross_host} == {
        name
        for name, a in CATALOGUE.items()
        if ("to" in a.params or a.fences) and not a.of_pool  # xapi keeps its hosts apart itself
    }


async def test_i26_an_order_with_an_older_token_is_refused():
    machine = LocalMachine(ManagedInventory("xen1"), systemd=False)
    new = await machine.effect(Order(("true",), target="domain/u1", token=8))
    old = await machine.effect(Order(("true",), target="domain/u1", token=7))
    other = await machine.effect(Order(("true",), target="domain/u2", token=1))
    assert new.ok
    assert "refused" in old.err
    assert other.ok


async def test_i26_every_order_carries_a_token_and_tokens_rise(tmp_path):
    story = Story(tmp_path, {"settings": {"limits.guest": {"cooldown": "1s"}}})
    tokens = []
    effect = story.world.effect

    async def seen(order):
        tokens.append(order.token)
        return await effect(order)

    story.world.effect = seen
    again = {"incident": {"rule": "guest-down", "opened": 1700000500.0}}
    await story.play(
        [{"incident": "guest-down"}, {"tick": 1}, {"world": {"xen1": {"web": "absent"}}}, again, {"tick": 2}]
    )
    assert tokens == [1, 2]
    story.service.close()


@pytest.mark.parametrize("step", [86400.0, -86400.0])
async def test_i27_a_step_of_the_wall_clock_changes_no_duration(tmp_path, step):
    story = Story(tmp_path, {"rule": {"mode": "propose"}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"step_wall": step}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["awaiting_approval"]
    await story.play([{"approve": "human:ann"}, {"step_wall": step}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    story.service.close()


async def test_i27_a_reboot_ends_no_pause(tmp_path):
    story = Story(tmp_path, {})
    again = {"incident": {"rule": "guest-down", "opened": 1700000500.0}}
    gone = {"world": {"xen1": {"web": "absent"}}}
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"restart": "boot-2"}, gone, again, {"tick": 1}])
    assert len(story.world.effects) == 1
    story.service.close()


async def test_i28_an_alert_that_ends_stops_no_active_run(tmp_path):
    story = Story(tmp_path, {"rule": {"when": {"alert": "GuestDown"}}})
    effect = story.world.effect

    async def meanwhile(order):
        await story.do_alert({"firing": False})
        return await effect(order)

    story.world.effect = meanwhile
    await story.play([{"alert": {}}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    story.service.close()


async def test_i28_an_incident_that_ends_cancels_a_run_that_has_not_started(tmp_path):
    story = Story(tmp_path, {"rule": {"mode": "propose"}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"resolve": "guest-down"}, {"approve": "human:ann"}])
    assert [run.state for run in await story.service.runs()] == ["cancelled"]
    story.service.close()


async def test_i29_a_stopping_agent_ends_active_runs_and_starts_nothing(tmp_path):
    story = Story(tmp_path, {})
    go_on = asyncio.Event()
    effect = story.world.effect

    async def slow(order):
        await go_on.wait()
        return await effect(order)

    story.world.effect = slow
    await story.do_incident("guest-down")
    await story.service.tick()
    draining = asyncio.create_task(story.service.drain())
    while (await story.service.runs())[0].state != "executing":  # noqa: ASYNC110 - the run has no event to wait for
        await asyncio.sleep(0)
    await story.do_incident({"rule": "guest-down", "of": "db"})
    await story.service.tick()
    assert not draining.done()
    go_on.set()
    await draining
    assert [(r.proposal.target.name, r.state) for r in await story.service.runs()] == [("web", "succeeded")]
    story.service.close()


async def test_i29_a_guest_is_started_outside_the_agents_control_group():
    machine = LocalMachine(ManagedInventory("xen1"), systemd=True)
    order = Order(("xl", "create", "/etc/xen/web.cfg"), detached=True, run="018b-1")
    words = machine._detached(order)
    assert words[0] == "systemd-run"
    assert "--property=KillMode=process" in words
    assert words[words.index("--") + 1 :] == order.argv


@pytest.mark.parametrize("action", ["domain_start", "domain_shutdown", "domain_reboot", "domain_destroy"])
async def test_i30_an_exit_code_of_zero_is_not_success(tmp_path, action):
    hosts = {"faults": {"xl": {"how": "lies"}}} | ({} if action == "domain_start" else {"xen1": {"web": "running"}})
    story = Story(tmp_path, {"hosts": hosts})
    await story.play([{"request": {"action": action}}, {"approve": "human:bob"}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["failed"]
    story.service.close()


async def test_i30_a_guest_that_serves_for_a_moment_only_is_not_success(tmp_path):
    story = Story(tmp_path, {})
    effect = story.world.effect

    async def short(order):
        answer = await effect(order)
        story.clock.later(12.0, story.world.hosts["xen1"].domains.clear)
        return answer

    story.world.effect = short
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["failed"]
    story.service.close()


@pytest.mark.parametrize("scope", ["all", "host/xen1", f"domain/{WEB}"])
async def test_i31_maintenance_holds_automatic_actions_back_and_shows(tmp_path, scope):
    story = Story(tmp_path, {})
    await story.play([{"maintenance": {"scope": scope}}, {"incident": "guest-down"}, {"tick": 1}])
    assert story.world.effects == []
    assert (await story.service.statistics()).maintenance_active
    assert any(e.kind == "maintenance" and e.actor == "human:ann" for e in await story.service.entries())
    await story.play([{"advance": 3601}])
    assert not (await story.service.statistics()).maintenance_active
    story.service.close()


@pytest.mark.parametrize("given", [{"reason": ""}, {"owner": ""}, {"seconds": 1e9}, {"seconds": -1.0}])
async def test_i31_maintenance_without_owner_reason_or_end_is_not_granted(tmp_path, given):
    story = Story(tmp_path, {})
    await story.play([{"maintenance": {"scope": "all", "given": given}}])
    assert len(story.refusals) == 1
    story.service.close()


@pytest.mark.parametrize(
    ("fault", "end"), [({}, "succeeded"), ({"how": "fails"}, "failed"), ({"how": "lost"}, "unknown")]
)
async def test_i32_every_end_is_recorded_counted_and_reported(tmp_path, fault, end):
    story = Story(tmp_path, {"hosts": {"faults": {"xl create": fault}} if fault else {}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    found = {(s.metric, s.labels): s.value for s in samples(await story.service.statistics())}
    assert found[RUNS, ("domain_start", end)] == 1.0
    assert found[UNKNOWN, ()] == float(end == "unknown")
    told = [event.kind for event, _ in await story.service._store.write(lambda t: outbox.due(t, 99))]
    assert told == ["started", end]
    assert [e.new for e in await story.service.entries() if e.new][-1] == end
    story.service.close()


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["--help", "-1", "; reboot", "web\nweb", "../../etc/passwd", "$(reboot)", "wéb", "web\x00", "`id`", "a b"]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.dictionaries(st.sampled_from(["domain", "uuid", "name", "guest", "unit", "device", "to"]), HOSTILE))
async def test_i33_words_of_an_alert_never_reach_a_command(tmp_path_factory, labels):
    story = Story(
        tmp_path_factory.mktemp("story"),
        {"rule": {"when": {"alert": "GuestDown"}, "scope": {"selectors": ["tag:auto", "host:xen1"]}}},
    )
    trigger = trigger_of_alert(
        Alert("f", "1", True, {"alertname": "GuestDown", **labels}), story.service.policy.inventory
    )
    assert trigger.target.name in ("web", "db", "unknown", "xen1")
    await story.play([{"alert": {"labels": {"domain": "", **labels}}}, {"tick": 1}])
    known = {"web", "db"} & set(labels.values())
    assert story.world.effects == [] or known
    assert all(words.startswith("xl create /etc/xen/") for words in story.world.effects)
    story.service.close()


@given(text=HOSTILE)
def test_i33_only_plain_words_become_arguments(text):
    try:
        word = name_of(text, "a name")
    except InputError:
        return
    assert word == text
    assert not word.startswith("-")
    assert word.isascii()
    assert not set(word) & set(" \n\t;|&$`'\"\\/<>(){}*?~#!\0")


@pytest.mark.parametrize("text", ["relative", "/a/../b", "/a b", "/a\nb", "", "/a;b", "-/x"])
def test_i33_only_plain_paths_become_arguments(text):
    with pytest.raises(InputError):
        path_of(text, "a path")


async def test_i33_what_is_not_in_the_catalogue_cannot_be_asked_for(tmp_path):
    story = Story(tmp_path, {})
    for action in ("shell", "xl", "rm", "_private", "domain_start; reboot"):
        await story.play([{"request": {"action": action}}])
    await story.play([{"request": {"action": "domain_start", "params": {"argv": "reboot"}}}])
    assert len(story.refusals) == 6
    assert await story.service.runs() == []
    story.service.close()


def test_i33_libvirt_is_asked_for_the_calls_of_the_table_only():
    with pytest.raises(InputError):
        call(object(), ("libvirt:undefine", WEB))
