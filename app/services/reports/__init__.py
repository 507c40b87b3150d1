"""Reports as they are read: lists, files, one with its grounds, and what people say of it."""
