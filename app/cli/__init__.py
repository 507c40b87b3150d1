"""Command line: one file per command, and the shared exit codes, output and progress."""
