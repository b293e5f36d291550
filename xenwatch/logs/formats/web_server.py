"""Logs of web servers (nginx, Apache): known only so that nobody takes their errors for those of a Xen host."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named
from xenwatch.model.record import LogFormat

FORMAT = LogFormat(
    name="web-server",
    title="log of a web server",
    foreign=True,
    unrelated=True,
    names=named(r"(?:nginx|apache2?|httpd|lighttpd)/[\w.-]*(?:access|error)[\w.-]*\.log"),
    sniff=re.compile(
        rb"^(?:"
        # nginx, Apache, and what both write of each request
        rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: "
        rb"|\[\w{3} \w{3} \d\d [\d:]{8}(?:\.\d+)? \d{4}\] \[(?:\w+:)?(?:error|warn|notice|crit|alert|info)\] "
        rb"|[\da-f.:]{3,45} \S+ \S+ \[\d\d/\w{3}/\d{4}:[\d: +-]+\] \"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|-)\b)",
        re.MULTILINE,
    ),
    rank=60,
)
