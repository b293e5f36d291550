"""PromQL with the dashboards' variables: every query is narrowed to the chosen job, hosts and guests."""

from collections.abc import Mapping

HOST = 'job=~"$job",instance=~"$instance"'
DOMAIN = HOST + ',domain=~"$domain"'
_OPERATORS = ("=~", "!~", "!=")


def host(metric: str, **labels: str) -> str:
    """A metric of the chosen hosts, narrowed by labels: `state="all"`, `state="=~running|blocked"`."""
    return f"{metric}{{{_joined(HOST, labels)}}}"


def domain(metric: str, **labels: str) -> str:
    """A metric of the chosen guests on the chosen hosts."""
    return f"{metric}{{{_joined(DOMAIN, labels)}}}"


def _joined(matchers: str, labels: Mapping[str, str]) -> str:
    more = (
        f'{name}{value[:2]}"{value[2:]}"' if value[:2] in _OPERATORS else f'{name}="{value}"'
        for name, value in labels.items()
    )
    return ",".join((matchers, *more))


def rate(selected: str) -> str:
    """Per second, over a time that fits the panel's resolution and the scrapes."""
    return f"rate({selected}[$__rate_interval])"


def increase(selected: str) -> str:
    """How much within the whole range shown."""
    return f"increase({selected}[$__range])"


def opened(selected: str) -> str:
    """How much came within the range of counters that are born with their first event: increase() misses that one."""
    return f"sum({increase(selected)}) + (count({selected} unless {selected} offset $__range) or vector(0))"


def top(expression: str, count: int = 10) -> str:
    """The largest only: a panel of a thousand guests helps nobody."""
    return f"topk({count}, {expression})"


def total(expression: str, by: str = "instance") -> str:
    """Summed by labels."""
    return f"sum by ({by}) ({expression})"
