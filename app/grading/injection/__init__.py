"""Detection of messages that are addressed to the grader."""
