"""Notices messages that speak to the grader instead of to the other side of the chat."""
