"""Tests of reading and exporting reports."""
