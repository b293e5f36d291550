"""`xenwatch ack`: the short word for `xenwatch incidents acknowledge`."""

import click

from xenwatch.cli._incident_remarks import acknowledge

COMMAND = click.Command(
    "ack",
    callback=acknowledge.callback,
    params=acknowledge.params,
    short_help="Record that a person is taking care of an incident.",
    help=f"{acknowledge.help}\n\nThe same as xenwatch incidents acknowledge.\n\n"
    "\b\nExample:\n  xenwatch ack 9c97 --for 2h --reason 'new disk ordered'",
)
