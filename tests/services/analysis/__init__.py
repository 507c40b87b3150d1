"""Tests of grading runs."""
