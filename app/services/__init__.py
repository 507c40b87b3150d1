"""Business actions: sync, grading, mail, reports. Each reads what the one before has committed."""
