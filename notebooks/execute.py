"""`python -m notebooks.execute`: run the notebooks in folders like Kaggle's, and store their outputs."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.support.errors import InputError, in_one_sentence, need
from retrieval_leaderboard.support.storage.files import write_text

if TYPE_CHECKING:
    from nbclient import NotebookClient
    from nbformat import NotebookNode

FOLDER = ROOT / "notebooks"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.ipynb")))
PLACE = "RETRIEVAL_KAGGLE"
"""Variable of the environment: the folder that takes the place of /kaggle"""
NEEDED = ("nbclient", "nbformat", "ipykernel")


@in_one_sentence
def main(arguments: list[str] | None = None) -> int:
    """Store the outputs of notebooks as of now; 0: done, 2: bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.execute", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}; all by default"
    )
    options = parser.parse_args(arguments)
    need(NEEDED, "requirements-test.lock")
    for name in options.names:
        if name not in NAMES:
            raise InputError(f"there is no notebook '{name}': give one of {', '.join(NAMES)}")
        store(FOLDER / f"{name}.ipynb")
    return 0


def store(notebook: Path) -> None:
    """Execute it with its own parameters, and write it with the outputs.

    Raises:
        InputError: an output names a folder of this machine.
    """
    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lay_out(place)
        done = client(nbformat.read(notebook, as_version=4), place).execute()
        text = nbformat.writes(done) + "\n"
        if named := [each for each in (folder, str(ROOT), str(Path.home())) if each in text]:
            raise InputError(
                f"{notebook.name}: outputs name {', '.join(named)}; say paths from the working folder"
            )
    write_text(notebook, text)


def lay_out(place: Path) -> None:
    """Folders like Kaggle's in `place`, with this repository among the inputs."""
    for name in ("input", "working", "temp"):
        (place / name).mkdir(exist_ok=True)
    (place / "input" / "the-code").symlink_to(ROOT)


def client(notebook: NotebookNode, place: Path) -> NotebookClient:
    """What executes `notebook` with `place` for /kaggle, in a kernel of this environment."""
    from nbclient import NotebookClient

    os.environ |= {
        PLACE: str(place),
        "IPYTHONDIR": str(place / "temp" / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(place / "temp" / "jupyter"),
    }
    return NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(place / "working")}},
    )


def with_parameters(notebook: NotebookNode, **values: object) -> NotebookNode:
    """`notebook` with other values in its cell of parameters; ValueError for one that it does not have."""
    cell = next(each for each in notebook.cells if each["id"] == "parameters")
    for name, value in values.items():
        (line,) = re.findall(rf"(?m)^{name} = .*$", cell.source)
        cell.source = cell.source.replace(line, f"{name} = {value!r}")
    return notebook


if __name__ == "__main__":
    sys.exit(main())
