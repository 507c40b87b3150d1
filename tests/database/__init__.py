"""Tests of the database: the engine, migrations and the embedded server."""
