"""The rules of grading and mailing as pure functions and constants, below SQL. Imports nothing else
of the application.
"""
