"""The one metric that two collectors fill: libvirt says it of its domains, xendomains of all others."""

from xenwatch.model.sample import Metric

AUTOSTART = Metric("xen_domain_autostart", "gauge", "Whether libvirt starts a domain with the host", ("domain",))
