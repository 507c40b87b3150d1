"""Grading of one chat: pure functions without network, database or clock."""
