"""Grade due chats with the model and store the reports."""
