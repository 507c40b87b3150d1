"""Tests of the daily mail."""
