"""SQL of the service: functions that take the session first, one file for each noun.

They never commit: the caller does. Statements are SQLAlchemy Core or ORM. ``text()`` is used only
where a comment gives the reason.
"""
