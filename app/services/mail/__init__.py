"""Puts the mail together and sends it."""
