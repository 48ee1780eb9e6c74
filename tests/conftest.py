"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
