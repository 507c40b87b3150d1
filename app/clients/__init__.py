"""Talks to the outside systems: Avito, DeepSeek and the mail server. Each failure leaves here as
transient or permanent.
"""
