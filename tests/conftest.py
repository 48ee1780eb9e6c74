"""Settings of all tests."""

import signal

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and so would
# every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
