"""Tests of the injection detector."""
