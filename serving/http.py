"""The HTTP service: thin over the library, its input checked by `serving.schemas`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from serving import schemas
from serving.requests import Answer
from serving.requests import Request as Asked
from serving.service import Recommender
from support.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHOWN_ERRORS = 5


def create_app(recommender: Recommender, max_body_bytes: int = schemas.MAX_BODY_BYTES) -> FastAPI:
    """The service over `recommender`.

    Its functions are plain ones, so that they run in the thread pool and none blocks the others.
    """
    app = FastAPI(title="Retrieval", docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit, limit=max_body_bytes)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(InputError, _refused)
    app.add_exception_handler(Exception, _failed)

    @app.get("/health")
    def health() -> schemas.Health:
        about = recommender.about
        return schemas.Health(
            status="ok", model=about.model, dataset=about.title, index=about.kind, items=len(recommender)
        )

    @app.post("/recommend")
    def recommend(body: schemas.Recommend) -> schemas.Recommendation:
        (answer,) = recommender.recommend_batch([_asked(body)])
        return _recommendation(answer)

    @app.post("/recommend/batch")
    def recommend_batch(body: schemas.RecommendBatch) -> schemas.Recommendations:
        answers = recommender.recommend_batch([_asked(each) for each in body.requests])
        return schemas.Recommendations(answers=[_recommendation(answer) for answer in answers])

    @app.post("/items", status_code=201)
    def add_item(body: schemas.NewItem) -> schemas.Added:
        unknown_values = recommender.add_item(body.item_id, body.features)
        try:
            recommender.save()
        except InputError as error:
            recommender.remove_item(body.item_id)
            raise HTTPException(507, "the item could not be kept: the server cannot write") from error
        return schemas.Added(item_id=body.item_id, unknown_values=unknown_values)

    return app


class BodyLimit:
    """Answers 413 to a larger body before anything reads it as JSON, whatever its headers say."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request with its body in one message."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        message: Message = {"more_body": True}
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > self.limit:
                refusal = _sentence(413, f"the body is larger than {self.limit:,} bytes")
                await refusal(scope, receive, send)
                return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self.app(scope, replay, send)


def _asked(body: schemas.Recommend) -> Asked:
    return Asked(**dict(body))


def _recommendation(answer: Answer) -> schemas.Recommendation:
    return schemas.Recommendation(**vars(answer))


def _sentence(status: int, text: str) -> JSONResponse:
    return JSONResponse({"detail": text}, status_code=status)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """The first errors of the schema; the input itself is not repeated, it may be large or not JSON."""
    assert isinstance(error, RequestValidationError)
    lines = []
    for each in error.errors()[:SHOWN_ERRORS]:
        where = ".".join(str(part)[:80] for part in each["loc"])
        lines.append(f"{where}: {each['msg']}")
    return _sentence(422, "; ".join(lines))


async def _refused(_: Request, error: Exception) -> JSONResponse:
    return _sentence(422, str(error))


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """A bug: its traceback goes to the log, never to the client."""
    return _sentence(500, "internal error")


def serve(recommender: Recommender, host: str, port: int) -> None:
    """Answer until stopped."""
    import uvicorn

    uvicorn.run(create_app(recommender), host=host, port=port, log_level="warning")
