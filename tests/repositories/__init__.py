"""Tests of the SQL: rules at their boundaries, and the indexes that queries use."""
