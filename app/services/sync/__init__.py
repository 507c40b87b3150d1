"""Sync: copying Avito's chats into Postgres."""
