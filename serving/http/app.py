"""The HTTP service: thin over the library, its input checked by `serving.schemas`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from retrieval_leaderboard.serving.bundles.encoding import UnknownValues
from retrieval_leaderboard.serving.bundles.journal import ChangedError
from retrieval_leaderboard.serving.http import schemas
from retrieval_leaderboard.serving.http.batcher import Batcher
from retrieval_leaderboard.serving.http.gate import LOOPBACK, Gate, Limits
from retrieval_leaderboard.serving.requests import Answer
from retrieval_leaderboard.serving.requests import Request as RecommendRequest
from retrieval_leaderboard.serving.service import NotSavedError, Recommender
from retrieval_leaderboard.support.errors import InputError

SHOWN_ERRORS = 5


def create_app(
    recommender: Recommender,
    limits: Limits | None = None,
    hosts: Sequence[str] = LOOPBACK,
    takes_items: bool = True,
) -> FastAPI:
    """The service over `recommender`.

    Requests are answered by a `Batcher`, those that come as a batch in the thread pool, so that none blocks
    the others; additions one after the other on a thread of their own, so that they take none from the
    searches while they wait for the disk.

    Args:
        recommender: what answers.
        limits: on requests; the defaults where None.
        hosts: what the Host header may name, without a port; `gate.ANY_HOST` among them allows all.
        takes_items: whether items may be added.
    """
    app = FastAPI(title="Retrieval", docs_url=None, redoc_url=None, responses=refusals(400, 408, 413, 503))
    app.add_middleware(Gate, limits=limits or Limits(), hosts=hosts)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(InputError, _refused)
    app.add_exception_handler(Exception, _failed)

    one_at_a_time, batcher = CapacityLimiter(1), Batcher(recommender)

    @app.get("/health")
    async def health() -> schemas.Health:
        about = recommender.about
        return schemas.Health(
            status="ok", model=about.model, dataset=about.title, index=about.kind, items=len(recommender)
        )

    @app.post("/recommend", responses=refusals(422, 500))
    async def recommend(body: schemas.Recommend) -> schemas.Recommendation:
        return _recommendation(await batcher.answer(_request(body)))

    @app.post("/recommend/batch", responses=refusals(422, 500))
    def recommend_batch(body: schemas.RecommendBatch) -> schemas.Recommendations:
        answers = recommender.recommend_batch([_request(each) for each in body.requests])
        return schemas.Recommendations(answers=[_recommendation(answer) for answer in answers])

    @app.post("/items", status_code=201, responses=refusals(403, 409, 422, 500, 507))
    async def add_item(body: schemas.NewItem) -> schemas.Added:
        if not takes_items:
            raise HTTPException(403, "this service only reads its bundle, and takes no items")
        values = await to_thread.run_sync(_save_item, recommender, body, limiter=one_at_a_time)
        return schemas.Added(item_id=body.item_id, unknown_values=values)

    return app


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of refusals for the OpenAPI page; each answer is one sentence."""
    return {
        status: {"model": schemas.Refusal, "description": schemas.REFUSALS[status]} for status in statuses
    }


def _save_item(recommender: Recommender, body: schemas.NewItem) -> UnknownValues:
    try:
        return recommender.keep_item(body.item_id, body.features)
    except ChangedError as error:
        changed = (
            "the item could not be saved: the bundle was changed by another process; restart the service"
        )
        raise HTTPException(409, changed) from error
    except NotSavedError as error:
        raise HTTPException(507, "the item could not be saved: the server cannot write") from error


def _request(body: schemas.Recommend) -> RecommendRequest:
    return RecommendRequest(**dict(body))


def _recommendation(answer: Answer) -> schemas.Recommendation:
    return schemas.Recommendation(**vars(answer))


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """The first errors of the schema; the input itself is not repeated, it may be large or not JSON."""
    assert isinstance(error, RequestValidationError)
    lines = []
    for each in error.errors()[:SHOWN_ERRORS]:
        where = ".".join(str(part)[:80] for part in each["loc"])
        lines.append(f"{where}: {each['msg']}")
    return JSONResponse({"detail": "; ".join(lines)}, 422)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 422)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """A bug: its traceback goes to the log, never to the client."""
    return JSONResponse({"detail": "internal error"}, 500)
