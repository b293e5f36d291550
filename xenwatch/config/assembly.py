"""Finds the parts that the agent is made of: rule folders, dialects of logs, collectors."""

from dataclasses import replace
from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.config.sections import Config, SamplingSettings
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.host.paths import Paths
from xenwatch.logs.owner import DeviceModels
from xenwatch.sampling.catalogue import all_collectors, chosen
from xenwatch.sampling.collector import Collector


def load_rules(config: Config) -> tuple[Rule, ...]:
    """The shipped rules and those configured, without their tests: the agent lives long and has no use for them.

    RuleError holds every problem; InputError names a missing folder.
    """
    own = [Path(folder) for folder in config.diagnosis.rules]
    missing = [str(folder) for folder in own if not folder.is_dir()]
    if missing:
        raise InputError(f"[diagnosis] rules: no such folder: {', '.join(missing)}")
    return tuple(replace(rule, tests=(), references=()) for rule in rules_with(own, config.diagnosis.cache_dir))


def collectors_of(settings: SamplingSettings) -> list[Collector]:
    """The collectors that are on. InputError names one that does not exist."""
    collectors = all_collectors()
    unknown = sorted({*settings.enabled, *settings.disabled} - collectors.keys())
    if unknown:
        raise InputError(f"[sampling]: no collector {', '.join(unknown)}; there are: {', '.join(collectors)}")
    return chosen({**dict.fromkeys(settings.enabled, True), **dict.fromkeys(settings.disabled, False)})


def device_models(paths: Paths) -> DeviceModels:
    """Device models as /proc shows them."""

    def command_line(pid: int) -> bytes | None:
        try:
            return (paths.proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None

    return DeviceModels(command_line)


def spool_directory(config: Config) -> Path:
    """Where the previous content of logs that are started over is kept."""
    return config.agent.state_dir / "spool"
