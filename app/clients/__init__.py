"""Clients of the external systems: Avito, DeepSeek and the mail server.

Each failure is raised as transient or permanent.
"""
