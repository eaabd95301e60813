"""Settings of all tests."""

import os

# Threads that wait sleep instead of spinning: where other processes keep the cores busy (a CI
# machine, several test runs at once), spinning made runs of a small system 20 times slower. Read by
# the OpenMP runtime when the core is loaded, so before any import of it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
