"""The HTTP service: thin over the library, its input checked by `serving.http.schemas`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from retrieval_leaderboard.serving.bundles.encoding import UnknownValues
from retrieval_leaderboard.serving.bundles.journal import ABOUT, ChangedError, NotSavedError
from retrieval_leaderboard.serving.http import schemas
from retrieval_leaderboard.serving.http.direct import Direct, refused
from retrieval_leaderboard.serving.http.gate import LOOPBACK, Gate, Limits
from retrieval_leaderboard.serving.http.observed import Metrics, Observed
from retrieval_leaderboard.serving.http.served import Current
from retrieval_leaderboard.serving.requests import Request as RecommendRequest
from retrieval_leaderboard.serving.service import Recommender
from retrieval_leaderboard.support.errors import InputError

SHOWN_ERRORS = 5
JSON_KIND = re.compile(r"application/([^/]+\+)?json")
"""Types of bodies that FastAPI reads as JSON"""
NO_JSON = "the body is not sent as JSON: give the header 'Content-Type: application/json'"
READY_SECONDS = 1.0
"""For the request that `/ready` asks itself"""


def create_app(
    recommender: Recommender,
    limits: Limits | None = None,
    hosts: Sequence[str] = LOOPBACK,
    takes_items: bool = True,
    token: bytes | None = None,
    access_log: bool = False,
    counting: bool = True,
    threads: int = 1,
) -> FastAPI:
    """The service over `recommender`.

    Requests are answered by a `Batcher`, those that come as a batch in the thread pool, so that none blocks
    the others; additions one after the other on a thread of their own, so that they take none from the
    searches while they wait for the disk.

    Args:
        recommender: what answers first; what answers now is the app's `state.current`, a `Current`.
        limits: on requests; the defaults where None.
        hosts: what the Host header may name, without a port; `gate.ANY_HOST` among them allows all.
        takes_items: whether items may be added.
        token: what requests must give, as `tokens.read` returns it; None for nothing.
        access_log: whether each request is told on the standard output.
        counting: whether requests are counted.
        threads: that search, where that takes long.
    """
    app = FastAPI(
        title="Retrieval",
        redoc_url=None,
        responses=refusals(400, 401, 408, 413, 503),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.current = current = Current(recommender, threads)
    metrics = Metrics(current)
    posts = [_recommendations(current), _items(current, takes_items)]
    direct = [route for router in posts for route in router.routes if isinstance(route, APIRoute)]
    app.add_middleware(Direct, routes=direct)
    app.add_middleware(Gate, limits=limits or Limits(), hosts=hosts, token=token)
    if counting:
        app.add_middleware(Observed, metrics=metrics, access_log=access_log)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(InputError, _refused)
    app.add_exception_handler(Exception, _failed)
    for router in (*posts, _operations(current, metrics)):
        app.include_router(router)
    return app


def _recommendations(current: Current) -> APIRouter:
    router = APIRouter(responses=refusals(422, 500))

    @router.post("/recommend")
    async def recommend(body: schemas.Recommend) -> schemas.Recommendation:
        with current.using() as served:
            answer = await served.batcher.answer(_request(body))
            return schemas.Recommendation(**served.names, **vars(answer))

    @router.post("/recommend/batch")
    async def recommend_batch(body: schemas.RecommendBatch) -> schemas.Recommendations:
        requests = [_request(each) for each in body.requests]
        with current.using() as served, served.batcher.beside():
            answers = await to_thread.run_sync(served.recommender.recommend_batch, requests)
            return schemas.Recommendations(
                answers=[schemas.Recommendation(**served.names, **vars(answer)) for answer in answers]
            )

    return router


def _items(current: Current, takes_items: bool) -> APIRouter:
    router, one_at_a_time = APIRouter(), CapacityLimiter(1)

    @router.post("/items", status_code=201, responses=refusals(403, 409, 422, 500, 507))
    async def add_item(body: schemas.NewItem) -> schemas.Added:
        """Add an item: once this is answered, it is on the disk, and every process of the service has it."""
        if not takes_items:
            raise HTTPException(403, "this service only reads its bundle, and takes no items")
        with current.using() as served, served.batcher.beside():
            values = await to_thread.run_sync(_save_item, served.recommender, body, limiter=one_at_a_time)
            return schemas.Added(**served.names, item_id=body.item_id, unknown_values=values)

    return router


def _operations(current: Current, metrics: Metrics) -> APIRouter:
    """What is asked by those who run the service."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> schemas.Health:
        served = current.served
        return schemas.Health(
            status="ok",
            **served.names,
            dataset=served.about.title,
            index=served.about.kind,
            items=len(served.recommender),
        )

    @router.get("/ready")
    async def ready() -> schemas.Ready:
        with current.using() as served:
            try:
                await asyncio.wait_for(served.batcher.answer(RecommendRequest("")), READY_SECONDS)
            except Exception as error:
                late = f"the service did not answer a request within {READY_SECONDS:g} seconds"
                raise HTTPException(503, late, {"retry-after": "1"}) from error
            return schemas.Ready(status="ready", **served.names, refused_version=current.refusal)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def counted() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of refusals for the OpenAPI page; each answer is one sentence."""
    return {
        status: {"model": schemas.Refusal, "description": schemas.REFUSALS[status]} for status in statuses
    }


def _save_item(recommender: Recommender, body: schemas.NewItem) -> UnknownValues:
    try:
        return recommender.keep_item(body.item_id, body.features)
    except ChangedError as error:
        what = (
            "changed by another process; restart the service"
            if (recommender.folder / ABOUT).exists()
            else "removed; let the service answer from one that is there"
        )
        raise HTTPException(409, f"the item could not be saved: the bundle was {what}") from error
    except NotSavedError as error:
        raise HTTPException(507, "the item could not be saved: the server cannot write") from error


def _request(body: schemas.Recommend) -> RecommendRequest:
    return RecommendRequest(**vars(body))


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    """The first errors of the schema; the input itself is not repeated, it may be large or not JSON."""
    assert isinstance(error, RequestValidationError)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines = [] if JSON_KIND.fullmatch(kind) else [NO_JSON]
    for each in error.errors()[:SHOWN_ERRORS]:
        where = ".".join(str(part)[:80] for part in each["loc"])
        lines.append(f"{where}: {each['msg']}")
    return JSONResponse({"detail": "; ".join(lines)}, 422)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InputError)
    return refused(error)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """A bug: its traceback goes to the log, never to the client."""
    return JSONResponse({"detail": "internal error"}, 500)
