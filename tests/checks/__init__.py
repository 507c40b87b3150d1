"""Tests of the code against the files around it.

These are the migrations, the OpenAPI document, the lock files, the settings and the image.
"""
