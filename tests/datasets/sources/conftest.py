"""What downloads ask in tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer

import pytest

from tests.datasets.sources.local_server import Handler, Server


@pytest.fixture
def server() -> Iterator[Server]:
    """One that answers what a test tells it to."""
    state = Server()
    listener = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, state))
    state.url = f"http://127.0.0.1:{listener.server_port}"
    threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    listener.shutdown()
    listener.server_close()
