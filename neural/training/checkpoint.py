"""The state of an interrupted training on disk.

Of one process it is a file: tensors as safetensors, the rest as JSON among them. Of several it is a folder:
see `checkpoint_folder`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from retrieval_leaderboard.neural.training import checkpoint_folder
from retrieval_leaderboard.neural.training.checkpoint_folder import FOLDER
from retrieval_leaderboard.neural.training.layout import Layout
from retrieval_leaderboard.support import compute, progress, ranks
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage.files import atomic_file

FILE = "training.safetensors"

Tensors = dict[str, Tensor]


@dataclass
class State:
    """A point in a training."""

    identity: dict[str, Any]
    """What a training must have in common with the one that goes on from here"""
    values: dict[str, Any]
    """What JSON can hold"""
    tensors: Tensors


@dataclass(frozen=True)
class Stored:
    """A point in a training, on disk."""

    identity: dict[str, Any]
    """As of `State`"""
    values: dict[str, Any]
    """As of `State`"""
    read: Callable[[Layout], Tensors]
    """The tensors of this process"""


@dataclass
class Checkpoints:
    """Where a training keeps its state, and how often."""

    folder: Path
    minutes: float
    """Between two checkpoints"""
    resume: bool
    """Whether to go on from a checkpoint that is there"""
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether the last one is `minutes` old."""
        return time.monotonic() - self.saved_at > 60 * self.minutes

    def save(self, state: State, layout: Layout) -> None:
        """Write `state` in the place of the last one, whole or not at all; several processes write a folder.

        Raises:
            UnwritableError: there is no room, or no right, to write it.
        """
        about = {"identity": state.identity, "values": state.values}
        if ranks.world() > 1:
            checkpoint_folder.save(self.folder / FOLDER, about, state.tensors, layout)
            if ranks.is_main():
                (self.folder / FILE).unlink(missing_ok=True)
        else:
            self._save_file(json.dumps(about), state.tensors)
            shutil.rmtree(self.folder / FOLDER, ignore_errors=True)
        self.saved_at = time.monotonic()

    def _save_file(self, about: str, tensors: Tensors) -> None:
        from safetensors.torch import save_file

        tensors = {name: each.contiguous().cpu() for name, each in tensors.items()}
        with atomic_file(self.folder / FILE) as scratch:
            save_file(tensors, scratch, {"about": about, "checksum": checksum(about, tensors)})

    def load(self) -> Stored | None:
        """The last state; None where there is none that is whole, which is said, or none is asked for.

        Raises:
            InputError: not all processes see it.
        """
        if not self.resume:
            return None
        # There are two where a process died between writing the one and removing the other.
        there = [each for each in (self.folder / FOLDER, self.folder / FILE) if each.exists()]
        path = max(there, key=lambda each: each.stat().st_mtime, default=None)
        seen = ranks.gather(path is not None)
        if any(seen) != all(seen):
            raise InputError(
                f"rank {seen.index(not seen[0])} sees another {self.folder} than rank 0: checkpoints have to "
                "be on a disk that all machines share"
            )
        if path is None:
            progress.say(f"no checkpoint in {self.folder}: training begins anew{self._others()}")
            return None
        found, damage = None, ""
        try:
            found = _folder(path) if path.name == FOLDER else _file(path)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            damage = str(error)
        told = [each for each in ranks.gather(damage) if each]
        if told:
            progress.say(f"the checkpoint {path} is damaged ({told[0]}): training begins anew")
            return None
        return found

    def _others(self) -> str:
        """Whose checkpoints lie beside this training's."""
        beside = self.folder.parent
        names = sorted({path.parent.name for name in (FOLDER, FILE) for path in beside.glob(f"*/{name}")})
        return f"; those there are of other data, settings or seeds: {', '.join(names)}" if names else ""


def _file(path: Path) -> Stored:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stored:
            header = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    about = header.get("about", "")
    if header.get("checksum") != checksum(about, tensors):
        raise ValueError("its checksum does not hold")
    if not ranks.is_main():  # Its dropout is that of one process.
        tensors = {name: each for name, each in tensors.items() if name not in compute.device().rng_state()}
    return Stored(**json.loads(about), read=lambda layout: layout.own(tensors))


def _folder(path: Path) -> Stored:
    return Stored(**checkpoint_folder.about(path), read=lambda layout: checkpoint_folder.read(path, layout))


def checksum(about: str, tensors: Tensors) -> str:
    """blake2b of `about` and of the tensors (on the CPU) with their names, types and shapes."""
    found = hashlib.blake2b(about.encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        found.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def check(stored: Mapping[str, Any], ours: Mapping[str, Any], folder: Path) -> None:
    """Refuse a checkpoint of another training.

    Raises:
        InputError: naming the first thing that differs.
    """
    for name in sorted(set(stored) | set(ours)):
        if stored.get(name) != ours.get(name):
            raise InputError(
                f"the checkpoint in {folder} belongs to another training: its {name} is {stored.get(name)}, "
                f"here it is {ours.get(name)}; run without --resume"
            )


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """The tensors with `prefix` and a dot before their names."""
    return {f"{prefix}.{name}": each for name, each in tensors.items()}


def part(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """Those that `prefixed` gave this prefix, without it."""
    return {
        name.removeprefix(f"{prefix}."): each
        for name, each in tensors.items()
        if name.startswith(f"{prefix}.")
    }
