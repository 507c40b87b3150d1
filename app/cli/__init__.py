"""The command line: one file a command, and what all of them share: exit codes, words on the
terminal, progress.
"""
