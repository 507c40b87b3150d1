"""Copies Avito's chats into Postgres."""
