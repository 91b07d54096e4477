"""The least that any service costs: FastAPI, as it comes, gives a body back. `python echo.py PORT`."""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

app = FastAPI()
registry = CollectorRegistry()
ProcessCollector(registry=registry)


@app.post("/echo")
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    return body


@app.get("/health")
async def health() -> None:
    """That it listens."""


@app.get("/metrics")
async def metrics() -> Response:
    """The process's own time, as the service tells it."""
    return Response(generate_latest(registry), media_type="text/plain")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
