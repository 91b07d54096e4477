"""A server in a thread of the test's process, and raw requests that a client should not send."""

import json
import socket
import time
from contextlib import contextmanager
from threading import Thread

import uvicorn

from retrieval_leaderboard.serving.http.heads import HeadLimits

HEAD = b"POST /recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def running(app, idle_seconds=5):
    """Yields the port of `app`, which ends a connection after `idle_seconds` without a request."""
    config = uvicorn.Config(
        app,
        http=HeadLimits,
        log_level="critical",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=idle_seconds,
    )
    server = uvicorn.Server(config)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def connected(port, *parts):
    """A connection over which `parts` were sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    for part in parts:
        connection.sendall(part)
    return connection


def answer(connection):
    """Status, headers and sentence of all that comes until the connection ends."""
    received = b""
    with connection:
        while part := connection.recv(65536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, json.loads(body)["detail"]
