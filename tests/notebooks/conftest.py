"""Folders laid out like Kaggle's, and sessions of a notebook in them."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.notebooks import execute
from retrieval_leaderboard.notebooks.kaggle import Session


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What takes the place of /kaggle; the environment is as before afterwards."""
    for name in (execute.PLACE, "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, "")
    # Threads that spin while they wait make a busy machine several times slower.
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    execute.lay_out(tmp_path)
    return tmp_path


@pytest.fixture
def session(place: Path) -> Session:
    """The helpers of a session there."""
    return Session(ROOT, place / "input", place / "working", place / "temp")


@pytest.fixture
def opened(place: Path) -> Callable[..., NotebookClient]:
    """`opened(name, **parameters)`: what executes the notebook there."""

    def client(name: str, **parameters: object) -> NotebookClient:
        notebook = nbformat.read(execute.FOLDER / f"{name}.ipynb", as_version=4)
        return execute.client(execute.with_parameters(notebook, **parameters), place)

    return client
