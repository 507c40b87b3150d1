"""How long a test waits for what takes seconds on an idle machine."""

PATIENCE = 120.0
"""Seconds. Only a test that hangs waits so long: on a busy machine all takes ten times longer."""
