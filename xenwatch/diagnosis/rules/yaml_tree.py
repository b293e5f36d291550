"""Reads YAML into plain values and remembers the line of every key, so that an error can name it."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

from xenwatch.base.errors import YamlError


@dataclass(frozen=True, slots=True)
class YamlTree:
    """`lines` maps a dotted path (`signatures[0].regex`) to its 1-based line; `doubled` lists keys given twice."""

    value: Any
    lines: dict[str, int] = field(default_factory=dict)
    doubled: tuple[str, ...] = ()

    def line(self, path: str) -> int:
        """Line of `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[: max(cut, 0)]
        return self.lines.get(path, 1)


DEEPEST = 40

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(text: str) -> YamlTree:
    """The first document of `text`. Raises YamlError."""
    try:
        _refuse_what_explodes(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            reader = _TreeReader(loader)
            value = reader.convert(root, "") if root is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not readable as YAML"
        raise YamlError(str(problem), mark.line + 1 if mark else 1) from None
    except YamlError:
        raise
    except (ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        # a date such as 2011-99-99; `!!timestamp x` and `!!bool x`, on which PyYAML itself stumbles
        raise YamlError(f"a value that cannot be read ({str(error)[:100]})", 1) from None
    return YamlTree(value, reader.lines, tuple(reader.doubled))


def _refuse_what_explodes(text: str) -> None:
    """Ten aliases of ten aliases, ten deep, are 10^10 values; of 100,000 brackets libyaml's composer dies itself."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise YamlError("aliases (*name) cannot be used here; write the value out", _line(event))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise YamlError(f"nested more than {DEEPEST} deep", _line(event))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _TreeReader:
    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self.lines: dict[str, int] = {}
        self.doubled: list[str] = []

    def convert(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            inner = f"{path}.{key}" if path else key
            if key in result:
                self.doubled.append(inner)
            self.lines[inner] = key_node.start_mark.line + 1
            result[key] = self.convert(value_node, inner)
        return result
