#!/usr/bin/python3 -I
"""Starts one of the two programs with root's rights; nothing of the environment decides what is imported."""

import os
import sys

sys.path.insert(0, "/usr/lib/xenwatch")

from xenwatch.effects.main import main

sys.exit(main(sys.argv[1:], dict(os.environ)))
