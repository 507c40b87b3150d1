"""All SQL: plain functions that take the session first, one file a noun. They never commit; whoever
calls them does.
"""
