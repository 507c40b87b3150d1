"""Rules of grading and mailing as pure functions and constants.

Each rule is written here once. SQL receives it as a parameter or as an enum value. The package
imports no other part of the application.
"""
