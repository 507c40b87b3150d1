"""The first version of the REST API, under ``/api/v1``."""
