"""REST: routers, the check of the key, the one body of errors, health and metrics."""
