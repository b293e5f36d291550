"""Finds the parts that the agent is made of: rule folders, dialects of logs, collectors."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from xenwatch.agent.config import Config, SamplingSettings
from xenwatch.base.errors import InputError
from xenwatch.diagnosis.library import load_library
from xenwatch.diagnosis.rule import Rule
from xenwatch.host.paths import Paths
from xenwatch.logs.device_model import DeviceModels
from xenwatch.sampling.catalogue import all_collectors, chosen
from xenwatch.sampling.collector import Collector


def shipped_rules() -> Path:
    """The rules that come with xenwatch: inside the installed package, or beside it in a checkout."""
    installed = Path(str(files("xenwatch"))) / "_bundled" / "rules"
    return installed if installed.is_dir() else Path(str(files("xenwatch"))).parent / "rules"


def load_rules(config: Config) -> tuple[Rule, ...]:
    """The shipped rules and those configured. RuleError holds every problem; InputError names a missing folder."""
    own = [Path(folder) for folder in config.diagnosis.rules]
    missing = [str(folder) for folder in own if not folder.is_dir()]
    if missing:
        raise InputError(f"[diagnosis] rules: no such folder: {', '.join(missing)}")
    return rules_with(own, config.diagnosis.cache_dir)


def rules_with(own: Sequence[Path], cache: Path | None) -> tuple[Rule, ...]:
    """The shipped rules and those of these folders; one of theirs replaces the shipped one of the same name."""
    replaced = {path.stem for folder in own for path in folder.rglob("*.yaml")}
    shipped = [path for path in sorted(shipped_rules().rglob("*.yaml")) if path.stem not in replaced]
    return load_library([*shipped, *own], cache)


def collectors_of(settings: SamplingSettings) -> list[Collector]:
    """The collectors that are on. InputError names one that does not exist."""
    known = all_collectors()
    unknown = sorted({*settings.enabled, *settings.disabled} - known.keys())
    if unknown:
        raise InputError(f"[sampling]: no collector {', '.join(unknown)}; there are: {', '.join(known)}")
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
