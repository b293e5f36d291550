"""Lets the tests of notifications share the simulated hosts of the stories."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))
