"""Makes of grafanalib's JSON what Grafana of today expects: typed data sources and a modern schema."""

from typing import Any

SCHEMA = 39
"""Grafana 10.4 and later; newer ones take it over by themselves."""
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_OWN = {"type": "datasource", "uid": "grafana"}


def finished(board: dict[str, Any]) -> dict[str, Any]:
    """The same dashboard, ready for Grafana: no stray nulls, data sources as objects, nothing of Grafana 5."""
    done: dict[str, Any] = _cleaned(board)
    done["schemaVersion"] = SCHEMA
    done["graphTooltip"] = 1
    for gone in ("hideControls", "rows", "style", "sharedCrosshair", "__inputs", "inputs"):
        done.pop(gone, None)
    for panel in done["panels"]:
        _panel(panel)
    for variable in done["templating"]["list"]:
        _variable(variable)
    for annotation in done["annotations"]["list"]:
        annotation["datasource"] = _SOURCE
    done["annotations"]["list"].insert(0, _builtin())
    return done


def _panel(panel: dict[str, Any]) -> None:
    for gone in ("span", "minSpan", "error", "editable", "height", "cacheTimeout", "hideTimeOverride"):
        panel.pop(gone, None)
    if panel["type"] == "row":
        panel.pop("datasource", None)
        panel["panels"] = []
        return
    panel["datasource"] = _SOURCE
    defaults = panel["fieldConfig"]["defaults"]
    if "thresholds" in defaults:
        defaults["thresholds"]["steps"] = [_step(one) for one in defaults["thresholds"]["steps"]]
    if panel["type"] == "table":
        for gone in ("color", "columns", "fontSize", "mappings"):
            panel.pop(gone, None)
    for target in panel.get("targets", ()):
        target["datasource"] = _SOURCE
        for gone in ("metric", "step", "target", "intervalFactor", "hide", "interval"):
            target.pop(gone, None)
        target["range"] = not target.get("instant", False)


def _step(step: dict[str, Any]) -> dict[str, Any]:
    """The first one holds from minus infinity on, which JSON cannot say: null."""
    return {"color": step["color"], "value": step["value"] if step["index"] else None}


def _variable(variable: dict[str, Any]) -> None:
    if variable["type"] == "datasource":
        variable.pop("datasource", None)
        variable["current"] = {}
        return
    variable["datasource"] = _SOURCE
    variable["current"] = {"text": ["All"], "value": ["$__all"]}
    variable["definition"] = variable["query"]
    variable["query"] = {"query": variable["query"], "refId": variable["name"]}
    variable["options"] = []


def _builtin() -> dict[str, Any]:
    """Where Grafana keeps what people note by hand."""
    return {
        "builtIn": 1,
        "datasource": _OWN,
        "enable": True,
        "hide": True,
        "iconColor": "gray",
        "name": "Notes",
        "type": "dashboard",
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return value
