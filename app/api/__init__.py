"""REST API: routers, authentication, error responses, health and metrics."""
