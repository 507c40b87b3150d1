"""FastAPI calls what is not a coroutine in a thread, which costs more than many queries."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from app.api.v1.router import router
from app.config import load_settings
from app.main import create_app


def test_no_endpoint_and_no_dependency_needs_a_thread() -> None:
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    routes = [found.original_route for found in iter_route_contexts(app.routes)]
    called = {
        call
        for route in routes
        if isinstance(route, APIRoute)
        for call in _list_calls(route.dependant)
    } | {one.dependency for one in router.dependencies}
    assert len(called) > 25
    assert [call for call in called if not _is_coroutine(call)] == []


def _list_calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _list_calls(inner)


def _is_coroutine(call: object) -> bool:
    method = type(call).__call__  # of an object such as APIKeyHeader
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(method)
