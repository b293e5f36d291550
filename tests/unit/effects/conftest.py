"""Lets the tests of the effects helper use the simulated hosts of the stories."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "scenarios"), str(Path(__file__).parent)]
