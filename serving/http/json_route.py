"""Routes whose bodies and answers are JSON, read and written by pydantic alone."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError


class JsonRoute(APIRoute):
    """An async endpoint of one argument, `body`, a pydantic model; it returns a pydantic model.

    A valid body goes past FastAPI's dependencies, a third of the time of a request. Any other is read
    again by FastAPI, whose errors say what is wrong.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request; `APIRoute` calls it once."""
        fallback = super().get_route_handler()
        takes: type[BaseModel] = get_type_hints(self.endpoint)["body"]
        status = self.status_code or 200

        async def handle(request: Request) -> Response:
            if not request.headers.get("content-type", "").startswith("application/json"):
                return await fallback(request)
            try:
                body = takes.model_validate_json(await request.body())
            except ValidationError:
                return await fallback(request)
            answer: BaseModel = await self.endpoint(body)
            return Response(answer.__pydantic_serializer__.to_json(answer), status, JSON)

        return handle


JSON = {"content-type": "application/json"}
