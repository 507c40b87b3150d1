"""Has the model grade what is due, and keeps what it says."""
