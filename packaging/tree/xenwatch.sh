#!/bin/sh
# xenwatch and its libraries live in a folder of their own; libvirt's binding is the system's.
PYTHONPATH=/usr/lib/xenwatch${PYTHONPATH:+:$PYTHONPATH} exec /usr/bin/python3 -m xenwatch.cli.main "$@"
