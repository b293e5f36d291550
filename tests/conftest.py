"""What `make fuzz` changes: many more examples for each test of a property."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5000"))
settings.register_profile("fuzz", max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
