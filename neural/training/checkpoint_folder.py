"""The state of a training of several processes on disk: a folder of torch.distributed.checkpoint.

Each process writes a part, and any number of them reads it. What JSON can hold is in `about.json`, which
comes last and has the digests of all files.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from retrieval_leaderboard.neural.training.layout import Layout
from retrieval_leaderboard.support import compute, ranks
from retrieval_leaderboard.support.storage.files import atomic_folder

if TYPE_CHECKING:
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata

FOLDER = "training"
ABOUT = "about.json"
METADATA = ".metadata"

Tensors = dict[str, Tensor]


def save(folder: Path, about: dict[str, Any], tensors: Tensors, layout: Layout) -> None:
    """Write `about`, which JSON can hold, and tensors in the place of `folder`, whole or not at all.

    All processes call it at the same time, with the same folder on a disk that all of them see.

    Raises:
        UnwritableError: there is no room, or no right, to write it.
    """
    from torch.distributed import checkpoint

    stored = {_named(name): layout.stored(name, each.detach().cpu()) for name, each in tensors.items()}
    with _shared(folder) as scratch, _system_errors():
        checkpoint.save(stored, checkpoint_id=scratch)
        ours = [METADATA] if ranks.is_main() else []
        ours += [path.name for path in scratch.glob(f"__{ranks.rank()}_*")]
        digests = ranks.gather({name: _digest(scratch / name) for name in ours})
        if ranks.is_main():
            files = {name: digest for each in digests for name, digest in each.items()}
            (scratch / ABOUT).write_text(json.dumps(about | {"files": files}))
    ranks.gather(None)  # The others go on once it has its name.


def about(folder: Path) -> dict[str, Any]:
    """What `save` was given, of a folder that is as it was written.

    Raises:
        ValueError, OSError: it is damaged.
    """
    found = json.loads((folder / ABOUT).read_text())
    files = sorted(found.pop("files").items())
    for name, digest in files[ranks.rank() :: ranks.world()]:
        if _digest(folder / name) != digest:
            raise ValueError(f"{name} is not what was written")
    return found


def read(folder: Path, layout: Layout) -> Tensors:
    """The tensors, of which tables are those rows that `layout` gives this process; all processes call it."""
    from torch.distributed import checkpoint

    reader = checkpoint.FileSystemReader(folder)
    every = cast("dict[str, TensorStorageMetadata]", reader.read_metadata().state_dict_metadata)
    known = {name: each for stored, each in every.items() if (name := _unnamed(stored)) is not None}
    found = {
        _named(name): layout.empty(name, each.size, each.properties.dtype) for name, each in known.items()
    }
    with warnings.catch_warnings():
        # As it is where one process reads.
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        checkpoint.load(found, storage_reader=reader, no_dist=ranks.world() == 1)
    return {name: layout.read(name, found[_named(name)]) for name in known}


def _named(name: str) -> str:
    """How a tensor is called in the folder: generators of dropout differ between processes."""
    own = name in compute.device().rng_state()
    return f"rank{ranks.rank()}.{name}" if own else name


def _unnamed(stored: str) -> str | None:
    """The inverse; None of another process's."""
    rank, _, name = stored.partition(".")
    if not rank.startswith("rank") or not rank.removeprefix("rank").isdecimal():
        return stored
    return name if rank == f"rank{ranks.rank()}" else None


@contextmanager
def _shared(folder: Path) -> Iterator[Path]:
    """An empty folder, the same in all processes, that rank 0 gives the name of `folder` in the end."""
    with ExitStack() as opened:
        made = opened.enter_context(atomic_folder(folder)) if ranks.is_main() else None
        scratch = ranks.broadcast(made)
        assert scratch is not None
        yield scratch


@contextmanager
def _system_errors() -> Iterator[None]:
    """Within, what the system refused to any process is that error."""
    from torch.distributed.checkpoint import CheckpointException

    try:
        yield
    except CheckpointException as failed:
        errors = [error for error, _ in failed.failures.values()]
        system = next((error for error in errors if isinstance(error, OSError)), None)
        raise system or RuntimeError(f"the state cannot be kept: {errors[0]}") from failed


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
