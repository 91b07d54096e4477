"""NVIDIA's cards. Its answers are tested with a pretended card; not yet run on one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.support.devices.device import Device

if TYPE_CHECKING:
    import torch

DRIVER_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


class Cuda(Device):
    """The CUDA card that PyTorch takes first."""

    name, title = "cuda", "CUDA card"
    precision = "fp16"
    memory_name, shares_main_memory = "GPU", False
    asynchronous = True

    def may_be_here(self) -> bool:
        """Whether there is a driver."""
        return any(Path(sign).exists() for sign in DRIVER_SIGNS)

    def is_here(self) -> bool:
        """Whether PyTorch sees a card."""
        import torch

        return torch.cuda.is_available()

    def hardware(self) -> str:
        """The card's name."""
        import torch

        return torch.cuda.get_device_name()

    def free_bytes(self) -> int:
        """Free memory of the card."""
        import torch

        return torch.cuda.mem_get_info()[0]

    def count(self) -> int:
        """The cards that PyTorch sees."""
        import torch

        return torch.cuda.device_count()

    def peak_mib(self) -> float:
        """Peak memory of this process's tensors on the card in MiB; 0 where it has none."""
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return 0.0
        return torch.cuda.max_memory_allocated() / 2**20

    def rng_state(self) -> dict[str, torch.Tensor]:
        """The card's generator too."""
        import torch

        return super().rng_state() | {"dropout_cuda": torch.cuda.get_rng_state()}

    def set_rng_state(self, state: dict[str, torch.Tensor]) -> None:
        """The card's generator too."""
        import torch

        super().set_rng_state(state)
        torch.cuda.set_rng_state(state["dropout_cuda"])
