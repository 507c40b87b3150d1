"""Helpers shared by tests. Nothing here is a test."""
