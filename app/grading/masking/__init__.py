"""Keeps personal data away from the model, and puts it back where people read."""
