"""Requests that are generated from the OpenAPI document, against the service as a program."""
