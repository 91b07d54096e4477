"""What a device is to the rest of the suite: a class that answers all that differs by it.

A new device is a subclass in one file and an entry of `DEVICES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch

AUTOCAST = ("fp32", "fp16", "bf16")
"""Precisions of neural training; matrix products are in this one"""


class Device(ABC):
    """Where tensors are."""

    name: ClassVar[str]
    """PyTorch's name of its kind"""
    title: ClassVar[str]
    """What a message calls it"""
    precision: ClassVar[str]
    """What training takes where nothing else is asked for"""
    memory_name: ClassVar[str]
    """What a message calls its memory"""
    shares_main_memory: ClassVar[bool]
    """Whether its memory is the main memory"""
    asynchronous: ClassVar[bool]
    """Whether the host runs ahead of it, and must wait to learn the size of a result"""
    has_float64: ClassVar[bool] = True

    @property
    def ranks(self) -> bool:
        """Whether top-k lists are found on it; scores are compared in float64."""
        return self.asynchronous and self.has_float64

    @abstractmethod
    def may_be_here(self) -> bool:
        """A guess without importing PyTorch, which takes seconds; True where in doubt."""

    @abstractmethod
    def is_here(self) -> bool:
        """Whether PyTorch can use it."""

    @abstractmethod
    def hardware(self) -> str:
        """Its name, as the maker gives it; call it only where it is in use."""

    @abstractmethod
    def free_bytes(self) -> int:
        """Memory that is free on it."""

    def count(self) -> int | None:
        """How many there are for a process to have alone; None where processes share one."""
        return None

    def peak_mib(self) -> float:
        """Peak memory of this process's tensors on it in MiB; 0 in main memory, or without one."""
        return 0.0

    def rng_state(self) -> dict[str, torch.Tensor]:
        """State of the generators that dropout draws from, by name."""
        import torch

        return {"dropout": torch.get_rng_state()}

    def set_rng_state(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from what `rng_state` gave; `state` may hold more."""
        import torch

        torch.set_rng_state(state["dropout"])

    def autocast(self, precision: str) -> AbstractContextManager[None]:
        """Within, matrix products are in `precision`, one of `AUTOCAST`."""
        import torch

        number = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
        return torch.autocast(self.name, number, enabled=number is not None)

    def make_deterministic(self) -> None:  # noqa: B027
        """From here on operations give the same bits every time, where they would not by themselves."""

    def float32(self) -> AbstractContextManager[None]:
        """Within, products of float32 are in float32, whatever is set elsewhere."""
        return nullcontext()

    def grad_scaler(self, precision: str) -> torch.amp.GradScaler:
        """What keeps gradients within fp16; without effect in another precision."""
        import torch

        return torch.amp.GradScaler(self.name, enabled=precision == "fp16")
