"""What the commands about remediation share: its files, the person who asks, and tables."""

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.config.loader import load_config
from xenwatch.config.sections import Config
from xenwatch.config.xapi import repair_accesses
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.model.subject import HOST, Subject, subject_from_text
from xenwatch.remediation.action import Finding
from xenwatch.remediation.machine.apart import EffectsSocket
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.open import effects_of, open_machine, open_service, policy_in_force
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.service import RemediationService

T = TypeVar("T")

POLICY = click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Policy file. Default: the one that the configuration names.",
)
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "magenta"}


def policy_path(policy: Path | None, config: Path | None = None) -> Path:
    """The policy file asked for, or the one the configuration names."""
    return policy or load_config(config, dict(os.environ)).config.remediation.policy


def machine_of(policy: Policy) -> LocalMachine:
    """The host that the configuration names, for checks."""
    sampling = load_config(None, dict(os.environ)).config.sampling
    return open_machine(policy, libvirt_uri=sampling.libvirt_uri or LOCAL, simulated=sampling.simulated)


def with_service(policy: Path | None, config: Path | None, work: Callable[[RemediationService], Awaitable[T]]) -> T:
    """Open remediation with the run store of this host, do one thing, close it."""
    settings = load_config(config, dict(os.environ)).config
    file = policy or settings.remediation.policy
    if not file.exists():
        raise InputError(
            f"{file} does not exist; without a policy nothing is proposed or done. "
            "Start from packaging/policy.toml (or /usr/share/doc/xenwatch/examples); see docs/remediation.md"
        )

    rules = policy_in_force(file)

    async def run() -> T:
        clock = SystemClock()
        uri = settings.sampling.libvirt_uri
        libvirt = Libvirt(uri, clock) if uri else None
        service = open_service(
            rules, settings.agent.state_dir, clock=clock, libvirt=libvirt, simulated=settings.sampling.simulated,
            effects=effects_socket(settings), pools=repair_accesses(settings.xapi),
        )  # fmt: skip
        try:
            return await work(service)
        finally:
            service.close()
            if libvirt is not None:
                await libvirt.close()

    return asyncio.run(run())


def effects_socket(settings: Config) -> EffectsSocket | None:
    """The way to the effects helper; None where the agent itself carries out repairs."""
    repairs = settings.remediation
    return effects_of(repairs.effects, repairs.effects_socket, settings.sampling.simulated)


def state_dir(config: Path | None) -> Path:
    """The folder in which the agent keeps its state."""
    return load_config(config, dict(os.environ)).config.agent.state_dir


def person() -> str:
    """The person at the keyboard, as the run store names people: the login behind sudo if there is one."""
    return f"human:{os.environ.get('SUDO_USER') or pwd.getpwuid(os.getuid()).pw_name}"


def subject_of(text: str) -> Subject:
    """`web` or `domain/web` is a guest, `host` this host, `lv/vg0/data` a volume."""
    if text == HOST.kind:
        return HOST
    return subject_from_text(text) or Subject("domain", text)


def key_values(words: Sequence[str]) -> dict[str, str]:
    """`key=value` words."""
    wrong = [word for word in words if "=" not in word]
    if wrong:
        raise click.BadParameter(f"{wrong[0]} is not of the form key=value")
    return dict(word.split("=", 1) for word in words)


def findings_table(findings: Sequence[Finding]) -> str:
    """Check, outcome, detail, and the source of the result."""
    width = max((len(f.check) for f in findings), default=0)
    return "\n".join(
        f"{f.check:<{width}}  {click.style(f'{f.outcome:<7}', fg=_COLOURS[f.outcome])}  {_one_line(f.detail)}"
        + (f"  [{f.source}]" if f.source else "")
        for f in findings
    )


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
