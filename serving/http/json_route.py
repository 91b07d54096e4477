"""Routes whose bodies and answers are JSON, read and written by pydantic alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from retrieval_leaderboard.support import strict_json
from retrieval_leaderboard.support.errors import InputError


class JsonRoute(APIRoute):
    """An async endpoint of one argument, `body`, a pydantic model; it returns a pydantic model.

    A valid body goes past FastAPI's dependencies, a third of the time of a request. Any other is read
    again by FastAPI, whose errors say what is wrong. Neither minds a key that stands twice: it is refused.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request; `APIRoute` calls it once."""
        fallback = super().get_route_handler()
        takes: type[BaseModel] = get_type_hints(self.endpoint)["body"]
        status = self.status_code or 200

        async def handle(request: Request) -> Response:
            content = await request.body()
            _check_keys(content)
            if not request.headers.get("content-type", "").startswith("application/json"):
                return await fallback(request)
            try:
                body = takes.model_validate_json(content)
            except ValidationError:
                return await fallback(request)
            answer: BaseModel = await self.endpoint(body)
            return Response(answer.__pydantic_serializer__.to_json(answer), status, JSON)

        return handle


def _check_keys(content: bytes) -> None:
    """InputError for JSON with a key twice; whatever else is wrong with it is left to others."""
    try:
        strict_json.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
    except strict_json.RepeatedKeyError as error:
        raise InputError(f"body: {error}: give each key once") from error
    except (ValueError, RecursionError):
        pass


JSON = {"content-type": "application/json"}
