"""Benchmarks, printed by ``make bench``.

They measure ratios within one run, because machines differ and are noisy.
"""
