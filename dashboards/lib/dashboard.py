"""A dashboard: sections of panels, with the variables, links and annotations that all of them share."""

from collections.abc import Mapping, Sequence

from grafanalib.core import (
    Annotations,
    Dashboard,
    DashboardLink,
    GridPos,
    Panel,
    RowPanel,
    Template,
    Templating,
    Time,
)

from dashboards.lib.panels import laid_out
from dashboards.lib.queries import HOST

TAG = "xenwatch"
SOURCE = "${datasource}"
_RUNS = f"xenwatch_remediation_runs_total{{{HOST}}}"
EVENTS: Mapping[str, tuple[str, str, str, str]] = {
    "Incidents": (
        "red",
        f"xenwatch_incident_open{{{HOST}}} == 1",
        "{{kind}} {{name}}: {{rule}}",
        "a diagnosed failure, as long as it is open",
    ),
    "Guest restarts": (
        "orange",
        f"changes(xen_domain_restarts_total{{{HOST}}}[$__interval]) > 0",
        "{{domain}}",
        "a guest came up again",
    ),
    "Remediation": (
        "blue",
        f"changes({_RUNS}[$__interval]) > 0 or {_RUNS} unless {_RUNS} offset $__interval",
        "{{action}}: {{result}}",
        "an action ended",
    ),
}
"""What is marked in every panel: colour, expression, title, text."""


def dashboard(
    name: str, title: str, about: str, sections: Mapping[str, Sequence[Panel]], *, by_domain: bool = False
) -> Dashboard:
    """`name` is its uid after `xenwatch-`. `by_domain`: a guest can be chosen."""
    panels: list[Panel] = []
    y = 0
    for heading, inside in sections.items():
        panels.append(RowPanel(title=heading, gridPos=GridPos(h=1, w=24, x=0, y=y)))
        y = laid_out(inside, y + 1)
        panels += inside
    return Dashboard(
        title=f"Xen / {title}",
        uid=f"xenwatch-{name}",
        description=about,
        tags=[TAG],
        panels=panels,
        refresh="30s",
        time=Time("now-3h", "now"),
        timezone="browser",
        sharedCrosshair=True,
        editable=True,
        templating=Templating(list=_variables(by_domain)),
        annotations=Annotations(list=_annotations()),
        links=[
            DashboardLink(title="Xen", tags=[TAG], type="dashboards", asDropdown=True, includeVars=True, keepTime=True)
        ],
    ).auto_panel_ids()


def _variables(by_domain: bool) -> list[Template]:
    found = [
        Template(name="datasource", label="Data source", type="datasource", query="prometheus"),
        _labels("job", "Job", "label_values(xenwatch_build_info, job)"),
        _labels("instance", "Host", 'label_values(xenwatch_build_info{job=~"$job"}, instance)'),
    ]
    if by_domain:
        found.append(_labels("domain", "Guest", f"label_values(xen_domain_info{{{HOST}}}, domain)"))
    return found


def _labels(name: str, label: str, query: str) -> Template:
    return Template(
        name=name,
        label=label,
        query=query,
        dataSource=SOURCE,
        multi=True,
        includeAll=True,
        allValue=".*",
        refresh=2,
        sort=1,
        default="All",
    )


def _annotations() -> list[dict[str, object]]:
    return [
        {
            "name": name, "datasource": SOURCE, "enable": True, "iconColor": colour, "expr": expression,
            "titleFormat": title, "textFormat": text, "tagKeys": "instance", "step": "60s",
        }
        for name, (colour, expression, title, text) in EVENTS.items()
    ]  # fmt: skip
