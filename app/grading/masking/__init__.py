"""Masking: personal data is replaced before a text is sent to the model."""
