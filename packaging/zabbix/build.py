"""Writes packaging/zabbix/xenwatch.yaml, a template for Zabbix 6.0 and later: `python packaging/zabbix/build.py`.

Zabbix' HTTP agent fetches /metrics and the open incidents, two requests a minute; every other item is taken out of
these by Zabbix itself (dependent items). Guests, interfaces and disks are discovered. Nothing is installed on the host.
"""

import hashlib
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
PLACE = HERE / "xenwatch.yaml"
NAME = "Xen host by xenwatch"
METRICS, INCIDENTS = "xenwatch.metrics", "xenwatch.incidents"
Entry = dict[str, Any]
_MACROS = (
    ("{$XENWATCH.URL}", "http://127.0.0.1:10197", "Address of the agent, as the Zabbix server or proxy reaches it."),
    ("{$XENWATCH.TOKEN}", "", "Token of a user that may read ([remediation] access). Empty where reading needs none."),
    ("{$XENWATCH.MEMORY.MIN}", "1G", "Free memory of the hypervisor below which a trigger fires."),
)  # fmt: skip
_HOST = (
    ("Hypervisor: free memory", "xen_hypervisor_memory_free_bytes", "B"),
    ("Hypervisor: memory", "xen_hypervisor_memory_total_bytes", "B"),
    ("Hypervisor: zombie domains", "xen_hypervisor_zombie_domains", ""),
    ("dom0: available memory", "xen_dom0_memory_available_bytes", "B"),
    ("Agent: started at", "process_start_time_seconds", "unixtime"),
)
"""Name, metric, unit."""
_SEVERITIES = (("critical", "HIGH"), ("error", "AVERAGE"), ("warning", "WARNING"))
_DISCOVERED = (
    ("domains", "Domains that run", "xen_domain_memory_current_bytes", (("{#DOMAIN}", "domain"),), (
        ("{#DOMAIN}: cpu time", "xen_domain_cpu_seconds_total", "s", True),
        ("{#DOMAIN}: memory", "xen_domain_memory_current_bytes", "B", False),
    )),
    ("vifs", "Interfaces of guests", "xen_domain_vif_receive_bytes_total",
     (("{#DOMAIN}", "domain"), ("{#VIF}", "vif")), (
        ("{#DOMAIN} interface {#VIF}: received", "xen_domain_vif_receive_bytes_total", "Bps", True),
        ("{#DOMAIN} interface {#VIF}: sent", "xen_domain_vif_transmit_bytes_total", "Bps", True),
    )),
    ("vbds", "Disks of guests", "xen_domain_vbd_read_bytes_total",
     (("{#DOMAIN}", "domain"), ("{#DISK}", "device")), (
        ("{#DOMAIN} disk {#DISK}: read", "xen_domain_vbd_read_bytes_total", "Bps", True),
        ("{#DOMAIN} disk {#DISK}: written", "xen_domain_vbd_written_bytes_total", "Bps", True),
    )),
)  # fmt: skip
"""Key, name, the metric with a series for each, macros by label, items: name, metric, unit, whether it counts up."""


def template() -> Entry:
    """The whole export."""
    group = {"uuid": _uuid("group"), "name": "Templates/Virtualization"}
    made = {
        "uuid": _uuid("template"),
        "template": NAME,
        "name": NAME,
        "description": "What xenwatch knows of a Xen host: incidents, memory, guests, disks, interfaces.",
        "groups": [{"name": group["name"]}],
        "items": [*_masters(), *_incident_items(), *map(_host_item, _HOST)],
        "discovery_rules": [_discovery(*rule) for rule in _DISCOVERED],
        "macros": [{"macro": macro, "value": value, "description": words} for macro, value, words in _MACROS],
    }
    return {"zabbix_export": {"version": "6.0", "groups": [group], "templates": [made]}}


def _masters() -> list[Entry]:
    return [
        _fetched(METRICS, "Metrics, as /metrics has them", "/metrics"),
        _fetched(INCIDENTS, "Open incidents, as the API has them", "/api/v1/incidents?state=open&full=1"),
    ]


def _fetched(key: str, name: str, path: str) -> Entry:
    """The text itself is not kept; a failed request makes the item unsupported, which the trigger of `nodata` sees."""
    return {
        "uuid": _uuid(key), "name": name, "type": "HTTP_AGENT", "key": key, "delay": "1m", "history": "0",
        "trends": "0", "value_type": "TEXT", "timeout": "15s", "url": f"{{$XENWATCH.URL}}{path}",
        "headers": [{"name": "Authorization", "value": "Bearer {$XENWATCH.TOKEN}"}], "tags": _tags("raw"),
    }  # fmt: skip


def _incident_items() -> list[Entry]:
    counts = []
    for severity, priority in _SEVERITIES:
        key = f"xenwatch.incidents.count[{severity}]"
        item = _dependent(key, f"Incidents: {severity}", INCIDENTS, "incidents")
        item["preprocessing"] = [_step("JSONPATH", f'$.incidents[?(@.severity == "{severity}")].length()')]
        item["triggers"] = [
            _trigger(f"{key}>0", f"Xen: incidents of severity {severity}", f"last(/{NAME}/{key})>0", priority)
        ]
        counts.append(item)
    titles = _dependent("xenwatch.incidents.titles", "Incidents: what is wrong", INCIDENTS, "incidents")
    titles |= {"trends": "0", "value_type": "TEXT"}
    titles["preprocessing"] = [_step("JSONPATH", "$.incidents[*].title"), _step("DISCARD_UNCHANGED_HEARTBEAT", "1h")]
    titles["preprocessing"][0] |= {"error_handler": "CUSTOM_VALUE", "error_handler_params": "[]"}
    return [*counts, titles]


def _host_item(row: tuple[str, str, str]) -> Entry:
    name, metric, unit = row
    key = f"xenwatch.host[{metric}]"
    item = _dependent(key, name, METRICS, "host")
    item["value_type"] = "FLOAT"
    if unit:
        item["units"] = unit
    item["preprocessing"] = [_step("PROMETHEUS_PATTERN", metric, "value", "")]
    if metric == "process_start_time_seconds":
        words = "xenwatch does not answer"
        item["triggers"] = [_trigger(key, words, f"nodata(/{NAME}/{key},5m)=1", "AVERAGE")]
    if metric == "xen_hypervisor_memory_free_bytes":
        words = "Xen: hardly any free memory for guests"
        item["triggers"] = [_trigger(key, words, f"max(/{NAME}/{key},10m)<{{$XENWATCH.MEMORY.MIN}}", "INFO")]
    return item


def _discovery(key: str, name: str, metric: str, macros: tuple[tuple[str, str], ...], items: tuple[Any, ...]) -> Entry:
    return {
        "uuid": _uuid(f"discovery {key}"),
        "name": name,
        "type": "DEPENDENT",
        "key": f"xenwatch.discovery[{key}]",
        "delay": "0",
        "lifetime": "1d",
        "item_prototypes": [_prototype(macros, *item) for item in items],
        "master_item": {"key": METRICS},
        "lld_macro_paths": [{"lld_macro": macro, "path": f"$.labels.{label}"} for macro, label in macros],
        "preprocessing": [_step("PROMETHEUS_TO_JSON", metric), _step("DISCARD_UNCHANGED_HEARTBEAT", "1h")],
    }


def _prototype(macros: tuple[tuple[str, str], ...], name: str, metric: str, unit: str, counts: bool) -> Entry:
    item = _dependent(f"{metric}[{','.join(macro for macro, _ in macros)}]", name, METRICS, "guests")
    item |= {"value_type": "FLOAT", "units": unit}
    labels = ",".join(f'{label}="{macro}"' for macro, label in macros)
    item["preprocessing"] = [_step("PROMETHEUS_PATTERN", f"{metric}{{{labels}}}", "value", "")]
    if counts:
        item["preprocessing"].append(_step("CHANGE_PER_SECOND", ""))
    return item


def _dependent(key: str, name: str, master: str, component: str) -> Entry:
    return {
        "uuid": _uuid(key), "name": name, "type": "DEPENDENT", "key": key, "delay": "0", "history": "7d",
        "master_item": {"key": master}, "tags": _tags(component),
    }  # fmt: skip


def _trigger(key: str, name: str, expression: str, priority: str) -> Entry:
    return {"uuid": _uuid(f"trigger {key}"), "expression": expression, "name": name, "priority": priority}


def _step(kind: str, *parameters: str) -> Entry:
    return {"type": kind, "parameters": list(parameters)}


def _tags(component: str) -> list[Entry]:
    return [{"tag": "component", "value": component}]


def _uuid(of: str) -> str:
    """The same for the same thing each time, and of version 4, as Zabbix asks of every uuid."""
    made = list(hashlib.sha256(f"xenwatch {of}".encode()).hexdigest()[:32])
    made[12], made[16] = "4", "89ab"[int(made[16], 16) % 4]
    return "".join(made)


def text() -> str:
    """As it is committed."""
    return yaml.safe_dump(template(), sort_keys=False, allow_unicode=True, width=200)


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")
