"""How a chat is graded: pure functions without network, database or clock."""
