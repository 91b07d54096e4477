"""The state of an interrupted training on disk: tensors as safetensors, the rest as JSON among them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from retrieval_leaderboard.support import progress
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

    def save(self, state: State) -> None:
        """Write `state` in the place of the last one, whole or not at all.

        Raises:
            UnwritableError: there is no room, or no right, to write it.
        """
        from safetensors.torch import save_file

        about = json.dumps({"identity": state.identity, "values": state.values})
        tensors = {name: each.contiguous().cpu() for name, each in state.tensors.items()}
        with atomic_file(self.folder / FILE) as scratch:
            save_file(tensors, scratch, {"about": about, "checksum": checksum(about, tensors)})
        self.saved_at = time.monotonic()

    def load(self) -> State | None:
        """The last state; None where there is none that is whole, which is said, or none is asked for."""
        path = self.folder / FILE
        if not self.resume:
            return None
        if not path.is_file():
            progress.say(f"no checkpoint in {self.folder}: training begins anew{self._others()}")
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as stored:
                header = stored.metadata() or {}
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            self._tell_damage(str(error))
            return None
        about = header.get("about", "")
        if header.get("checksum") != checksum(about, tensors):
            self._tell_damage("its checksum does not hold")
            return None
        return State(**json.loads(about), tensors=tensors)

    def _tell_damage(self, why: str) -> None:
        progress.say(f"the checkpoint {self.folder / FILE} is damaged ({why}): training begins anew")

    def _others(self) -> str:
        """Whose checkpoints lie beside this training's."""
        names = sorted(path.parent.name for path in self.folder.parent.glob(f"*/{FILE}"))
        return f"; those there are of other data, settings or seeds: {', '.join(names)}" if names else ""


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
