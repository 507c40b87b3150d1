"""Tests of a mail's figures."""
