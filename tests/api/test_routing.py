"""Routes that FastAPI documents and does not resolve: they behave as its own would."""

import sys
from collections.abc import AsyncGenerator
from inspect import signature

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import Match

from app.api.parameters import refuse_unknown_query
from app.api.routing import FixedPaths, RequestRoute
from app.api.security import require_key
from app.api.v1.router import router
from app.config import load_settings
from app.main import create_app
from tests.support.stage import Stage


@pytest.fixture(scope="module")
def contexts() -> list[RouteContext]:
    """All routes of the application with the paths that FastAPI compares."""
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    found = iter_route_contexts(app.routes)
    return [one for one in found if isinstance(one.original_route, APIRoute)]


def test_fixed_path_has_the_route_that_fastapi_would_choose(contexts: list[RouteContext]) -> None:
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    fixed, *others = app.routes
    assert isinstance(fixed, FixedPaths)
    known = list(iter_route_contexts(others))
    paths = {one.path for one in contexts if "{" not in str(one.path)}
    assert len(paths) > 10
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE"):
            matching = (
                one.original_route
                for one in known
                if isinstance(one.original_route, APIRoute)
                and one.path_regex.match(path)
                and method in (one.methods or ())
            )
            match, found = fixed.matches({"type": "http", "method": method, "path": path})
            assert found.get("route") is (expected := next(matching, None)), (method, path)
            assert (match is Match.FULL) is (expected is not None)


@pytest.mark.parametrize(
    "path", ["/api/v1/reports/1", "/api/v1/reports/", "/api/v1", "/docs/assets"]
)
def test_other_paths_are_left_to_fastapi(path: str) -> None:
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    scope = {"type": "http", "method": "GET", "path": path}
    assert app.routes[0].matches(scope) == (Match.NONE, {})


def test_request_route_makes_the_checks_of_its_router(contexts: list[RouteContext]) -> None:
    """It awaits them by name, and dependencies that take the request and nothing else."""
    checks = [one.dependency for one in router.dependencies]
    assert checks == [require_key, refuse_unknown_query]
    routes = [one.original_route for one in contexts]
    quick = [route for route in routes if isinstance(route, RequestRoute)]
    assert [route.path for route in quick] == ["/reports"]
    for route in quick:
        given = {one.name for one in route.dependant.dependencies}
        assert given | {"request"} == {*signature(route.endpoint).parameters}
        for one in route.dependant.dependencies:
            assert one.call is not None
            assert [*signature(one.call).parameters] == ["request"]


async def test_answered_list_leaves_no_generator_to_be_closed(stage: Stage) -> None:
    """The event loop would close it with a task of its own and a wake-up."""
    left: list[AsyncGenerator[object]] = []
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(hooks.firstiter, left.append)
    try:
        period = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
        for limit in ({}, {"limit": 1}):
            answer = await stage.rest.get("/api/v1/reports", params={**period, **limit})
            assert answer.status_code == 200
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert left == []
