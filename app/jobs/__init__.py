"""Execution of runs: the worker, the scheduler and the daily run."""
