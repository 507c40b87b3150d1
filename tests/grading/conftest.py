"""Properties are tried without a clock (a busy machine is no failure) and leave no files behind."""

from hypothesis import settings

settings.register_profile("grading", deadline=None, database=None)
settings.load_profile("grading")
