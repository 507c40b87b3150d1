"""The local far ends hold what the facts say of Avito, DeepSeek and SMTP, and every switch does
what it is for.
"""
