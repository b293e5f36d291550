"""What `make fuzz` changes: many more examples for each test of a property."""

from hypothesis import HealthCheck, settings

settings.register_profile("fuzz", max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
