"""Reads the configuration: defaults, then the file, then the environment; all mistakes are reported together."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xenwatch.base.errors import ConfigError, Problem
from xenwatch.base.toml_file import read_toml
from xenwatch.base.toml_tables import key_lines
from xenwatch.config.consistency import contradictions
from xenwatch.config.credentials import with_credential
from xenwatch.config.sections import DEFAULT_FILE, SECTIONS, TABLES, Config
from xenwatch.config.settings import Setting, settings_of

PREFIX = "XENWATCH_"
FILE_VARIABLE = "XENWATCH_CONFIG"
_ENVIRONMENT = Path("environment")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The configuration, and for each `section.key` where its value came from: default, file:line or a variable."""

    config: Config
    origins: Mapping[str, str]
    file: Path | None
    """The file that was read; None if there is none and none was asked for."""


def load_config(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    default_file: Path | None = DEFAULT_FILE,
) -> LoadedConfig:
    """Read `file` (or $XENWATCH_CONFIG, or the default file where it exists), then the environment.

    `overrides` are values by `section.key` that the command line gave; they win. ConfigError holds every problem found.
    """
    environment = environment or {}
    path, reader = _requested(file, environment) or default_file, _ConfigReader()
    if path == default_file and path is not None and not path.exists():
        path = None
    if path is not None:
        reader.file(path)
    reader.environment(environment)
    reader.values = {key: with_credential(value, environment) for key, value in reader.values.items()}
    if reader.problems:
        raise ConfigError(reader.problems)
    for key, value in (overrides or {}).items():
        reader.take(key, value, "command line")
    config = _build(reader.values)
    reader.problems += [Problem(*reader.place(key), message) for key, message in contradictions(config)]
    if reader.problems:
        raise ConfigError(reader.problems)
    origins = {key: reader.origins.get(key, "default") for key, _ in all_settings()}
    return LoadedConfig(config, origins, path)


def all_settings() -> list[tuple[str, Setting[Any]]]:
    """Every `section.key` with its declaration, in the order of the file."""
    return [
        (f"{name}.{key}", setting)
        for name, section in SECTIONS.items()
        for key, setting in settings_of(section).items()
    ]


def variable(key: str) -> str:
    """`web.listen` → `XENWATCH_WEB_LISTEN`."""
    return PREFIX + key.replace(".", "_").upper()


def _requested(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    if file is not None:
        return file
    if environment.get(FILE_VARIABLE):
        return Path(environment[FILE_VARIABLE])
    return None


@dataclass(slots=True)
class _ConfigReader:
    """Values by `section.key`, where each came from, and the mistakes so far."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, key: str, value: Any, origin: str) -> None:
        self.values[key], self.origins[key] = value, origin

    def place(self, key: str) -> tuple[Path, int, str]:
        """File, line and name under which the value of a key was written."""
        file, _, line = self.origins.get(key, "").rpartition(":")
        if file:
            return Path(file), int(line), key
        return _ENVIRONMENT, 0, variable(key)

    def file(self, path: Path) -> None:
        try:
            text, tree = read_toml(path)
        except ConfigError as error:
            self.problems += error.problems
        else:
            lines = key_lines(text)
            for name, section in tree.items():
                self._section(path, name, section, lines)

    def environment(self, environment: Mapping[str, str]) -> None:
        variables = {variable(key): (key, declared) for key, declared in all_settings()}
        # Only names that begin with XENWATCH_ and a section are checked: others may belong to scripts around xenwatch.
        ours = tuple(f"{PREFIX}{name.upper()}_" for name in SECTIONS)
        for name, text in sorted(environment.items()):
            if name in variables:
                key, declared = variables[name]
                try:
                    self.take(key, declared.kind.parse(text), f"environment {name}")
                except ValueError as error:
                    self.problems.append(Problem(_ENVIRONMENT, 0, name, str(error)))
            elif name.startswith(ours):
                self.problems.append(Problem(_ENVIRONMENT, 0, name, _unknown("variable", name, variables)))

    def _section(self, path: Path, name: str, section: object, lines: Mapping[str, int]) -> None:
        place = lines.get(name, 0)
        if name in TABLES:
            self._tables(path, name, section, lines)
        elif name not in SECTIONS:
            self.problems.append(Problem(path, place, name, _unknown("section", name, [*SECTIONS, *TABLES])))
        elif not isinstance(section, dict):
            self.problems.append(Problem(path, place, name, f"is a section: write [{name}] on its own line"))
        else:
            for key, written in section.items():
                self._key(path, lines.get(f"{name}.{key}", place), f"{name}.{key}", written)

    def _tables(self, path: Path, name: str, section: object, lines: Mapping[str, int]) -> None:
        """[notify.mail], [notify.pager]: each is taken under its whole name."""
        for table, content in (section if isinstance(section, dict) else {"": section}).items():
            dotted = f"{name}.{table}"
            place = lines.get(dotted, lines.get(name, 0))
            if not isinstance(content, dict):
                self.problems.append(Problem(path, place, dotted, f"is no table: write [{name}.NAME] on its own line"))
                continue
            self.take(dotted, None, f"{path}:{place}")
            for key, written in content.items():
                self._key(path, lines.get(f"{dotted}.{key}", place), f"{dotted}.{key}", written)

    def _key(self, path: Path, line: int, dotted: str, written: object) -> None:
        section, _, key = dotted.rpartition(".")
        declared = settings_of(SECTIONS.get(section) or TABLES[section.partition(".")[0]])
        if key not in declared:
            self.problems.append(Problem(path, line, dotted, _unknown("key", key, declared)))
            return
        try:
            self.take(dotted, declared[key].kind.read(written), f"{path}:{line}")
        except ValueError as error:
            self.problems.append(Problem(path, line, dotted, str(error)))


def _build(values: Mapping[str, Any]) -> Config:
    by_section: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    by_table: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in TABLES}
    for dotted, value in values.items():
        section, _, key = dotted.partition(".")
        if section in TABLES:
            table, named, key = key.partition(".")
            by_table[section].setdefault(table, {}).update({key: value} if named else {})
        else:
            by_section[section][key] = value
    tables: dict[str, Any] = {
        name: {table: TABLES[name](**given) for table, given in found.items()} for name, found in by_table.items()
    }
    sections: dict[str, Any] = {name: SECTIONS[name](**given) for name, given in by_section.items()}
    return Config(**sections, **tables)


def _unknown(what: str, name: str, existing: Iterable[str]) -> str:
    names = list(existing)
    close = difflib.get_close_matches(name, names, n=1)
    return f"no such {what}; did you mean {close[0]}?" if close else f"no such {what}; there are: {', '.join(names)}"
