"""Requests generated from the OpenAPI document, against the service as a process."""
