"""A guest's qemu that is dead is known from xenstore and /proc: by one look, and by an agent that never saw it."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from hosts.recorded import recorded_host

from xenwatch.base.clock import ManualClock
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.facts.live import detect
from xenwatch.facts.saved import facts_reader
from xenwatch.host.host import Host
from xenwatch.model.fact import Fact
from xenwatch.sampling.catalogue import all_collectors

NAME = '/local/domain/3/name = "g1"'
XENCONSOLED, NOBODY = 298, 4242
"""A process that runs on the recorded host, and one that does not."""


def with_device_model(pid: int) -> "contextlib.AbstractAsyncContextManager[Host]":
    def edit(text: str) -> str:
        return text.replace(
            '/local/domain/3/name = "g1"',
            f'/local/domain/3/image/device-model-pid = "{pid}"\n/local/domain/3/name = "g1"',
        )

    return recorded_host(edit=edit)


async def looked_at(host: Host) -> list[Fact]:
    """What is missing is looked for again after a while; the clock of the recording goes on for that."""
    assert isinstance(host.clock, ManualClock)
    looking = asyncio.create_task(detect(host, once=True))
    while not looking.done():
        await asyncio.sleep(0.02)
        host.clock.advance(0.5)
    return looking.result()


@pytest.mark.parametrize(("pid", "told"), [(NOBODY, ["domain/g1"]), (XENCONSOLED, [])])
async def test_one_look_tells_a_device_model_that_is_gone_and_not_one_that_runs(pid: int, told: list[str]) -> None:
    async with with_device_model(pid) as host:
        pipeline = Pipeline(rules_with((), cache_folder()), cache=cache_folder())
        pipeline.facts(await looked_at(host))
        incidents = [i.diagnosis for i in pipeline.conclude(host.clock.now())]
    assert [str(d.subject) for d in incidents if d.rule == "device-model-gone"] == told


@pytest.mark.parametrize(("pid", "up"), [(NOBODY, 0.0), (XENCONSOLED, 1.0)])
async def test_an_agent_that_starts_after_the_device_model_died_samples_it_as_gone(pid: int, up: float) -> None:
    async with with_device_model(pid) as host:
        samples = await all_collectors()["daemons"].begin()(host)
    assert [s.value for s in samples if s.metric.name == "xen_domain_device_model_up"] == [up]


def test_a_bundle_tells_the_same_from_its_xenstore_and_its_ps(tmp_path: Path) -> None:
    files = {
        "xenstore-ls_-f.txt": '/local/domain/3/image/device-model-pid = "4242"\n/local/domain/3/name = "g1"\n',
        "xl_list.txt": "Name      ID   Mem VCPUs\tState\tTime(s)\ng1         3   128     1     -b----      10.1\n",
        "ps.txt": "  PID STAT  ELAPSED COMMAND\n    1 Ss   01:02:03 /sbin/init\n 4242 Z       00:10 [qemu] <defunct>\n",
    }
    pipeline = Pipeline(rules_with((), cache_folder()), cache=cache_folder(), at_rest=True)
    for name, text in files.items():
        reader = facts_reader(name, text.encode())
        assert reader is not None
        pipeline.facts(reader.read(text, 7.0, name))
    assert "device-model-gone" in [i.diagnosis.rule for i in pipeline.conclude(7.0)]
