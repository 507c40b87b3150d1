"""Trials of the service with real components: `make check-real`."""
