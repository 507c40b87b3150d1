"""Tests of the comparison with people's labels."""
