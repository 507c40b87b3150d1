"""Hypothesis without deadlines (a busy machine is no failure) and without files."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None)
settings.load_profile("domain")
