"""The parts that the configuration names: rules, collectors, device models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.config.sections import Config, SamplingSettings
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.host.paths import Paths
from xenwatch.logs.owner import DeviceModels
from xenwatch.sampling.catalogue import all_collectors, enabled
from xenwatch.sampling.collector import Collector


def load_rules(config: Config) -> tuple[Rule, ...]:
    """The shipped rules and those of the configuration, without their tests: the agent never runs them.

    RuleError holds every problem; InputError names a missing folder.
    """
    own = [Path(folder) for folder in config.diagnosis.rules]
    missing = [str(folder) for folder in own if not folder.is_dir()]
    if missing:
        raise InputError(f"[diagnosis] rules names a folder that does not exist: {', '.join(missing)}")
    return tuple(replace(rule, tests=(), references=()) for rule in rules_with(own, config.diagnosis.cache_dir))


def collectors_of(settings: SamplingSettings) -> list[Collector]:
    """The collectors that are on. InputError names those that do not exist."""
    collectors = all_collectors()
    unknown = sorted({*settings.enabled, *settings.disabled} - collectors.keys())
    if unknown:
        raise InputError(
            f"[sampling] names no collector that exists: {', '.join(unknown)}; there are {', '.join(collectors)}"
        )
    return enabled({**dict.fromkeys(settings.enabled, True), **dict.fromkeys(settings.disabled, False)})


def ways_to(sampling: SamplingSettings) -> dict[str, Any]:
    """By which `open_host` finds the host that is sampled."""
    return {
        "libvirt_uri": sampling.libvirt_uri or None,
        "ssh": sampling.ssh,
        "simulated": sampling.simulated,
    }


def device_models(paths: Paths) -> DeviceModels:
    """Device models as /proc shows them."""

    def command_line(pid: int) -> bytes | None:
        try:
            return (paths.proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None

    return DeviceModels(command_line)


def spool_directory(config: Config) -> Path:
    """Folder for the previous content of logs that their writers overwrite."""
    return config.agent.state_dir / "spool"
