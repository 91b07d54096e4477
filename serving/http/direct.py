"""Valid JSON bodies, read and answered by pydantic alone, past the layers of the web framework."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, get_type_hints

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from retrieval_leaderboard.serving.http.gate import replay
from retrieval_leaderboard.support import strict_json
from retrieval_leaderboard.support.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

JSON = (b"content-type", b"application/json")


class Direct:
    """Answers what is posted to `routes`, whose bodies the `Gate` has received whole.

    The endpoint of each takes one argument, `body`, a pydantic model, and returns a pydantic model. A valid
    body goes past FastAPI, which takes longer than the rest of a request. Any other is read again by FastAPI,
    whose errors say what is wrong. Neither minds a key that stands twice: it is refused.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[APIRoute]) -> None:
        self.app = app
        self._endpoints = {each.path: _Endpoint(each) for each in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on; what an endpoint raises beside InputError and HTTPException is raised."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        content: bytes = (await receive())["body"]
        try:
            _check_keys(content)
            answer = await endpoint(content) if _is_json(scope) else None
        except InputError as error:
            await refused(error)(scope, receive, send)
        except HTTPException as error:
            await JSONResponse({"detail": error.detail}, error.status_code, error.headers)(
                scope, receive, send
            )
        else:
            if answer is None:
                await self.app(scope, replay(content, receive), send)
                return
            headers = [(b"content-length", b"%d" % len(answer)), JSON]
            await send({"type": "http.response.start", "status": endpoint.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer})


class _Endpoint:
    """What a route calls."""

    def __init__(self, route: APIRoute) -> None:
        self.status = route.status_code or 200
        self._takes: type[BaseModel] = get_type_hints(route.endpoint)["body"]
        self._call: Callable[[BaseModel], Awaitable[BaseModel]] = route.endpoint

    async def __call__(self, content: bytes) -> bytes | None:
        """The answer as JSON; None where a body is not valid."""
        try:
            body = self._takes.__pydantic_validator__.validate_json(content)
        except ValidationError:
            return None
        answer = await self._call(body)
        return answer.__pydantic_serializer__.to_json(answer)


def refused(error: InputError) -> JSONResponse:
    """What cannot be answered, and why."""
    return JSONResponse({"detail": str(error)}, 422)


def _is_json(scope: Scope) -> bool:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(kind.partition(b";")[0].strip() == b"application/json")


def _check_keys(content: bytes) -> None:
    """InputError for JSON with a key twice; whatever else is wrong with it is left to others."""
    try:
        strict_json.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
    except strict_json.RepeatedKeyError as error:
        raise InputError(f"body: {error}: give each key once") from error
    except (ValueError, RecursionError):
        pass
