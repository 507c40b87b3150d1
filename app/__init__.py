"""A service that reads a company's Avito chats, has them graded and reports on them."""
