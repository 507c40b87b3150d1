"""Tests of the mail client."""
