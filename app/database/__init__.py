"""Postgres: the engine, migrations and the embedded server."""
