"""Tests of the Avito client."""
