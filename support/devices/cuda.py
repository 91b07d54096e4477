"""NVIDIA's GPUs. Its answers are tested with a simulated GPU; not yet run on one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval_leaderboard.support.devices.device import Device

if TYPE_CHECKING:
    import torch

DRIVER_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


class Cuda(Device):
    """The CUDA GPU that PyTorch takes first."""

    name, title = "cuda", "CUDA GPU"
    precision = "fp16"
    memory_name, shares_main_memory = "GPU", False
    asynchronous = True

    def may_be_here(self) -> bool:
        """Whether there is a driver."""
        return any(Path(sign).exists() for sign in DRIVER_SIGNS)

    def is_here(self) -> bool:
        """Whether PyTorch sees a GPU."""
        import torch

        return torch.cuda.is_available()

    def hardware(self) -> str:
        """The GPU's name."""
        import torch

        return torch.cuda.get_device_name()

    def free_bytes(self) -> int:
        """Free memory of the GPU, and what PyTorch holds of it for tensors to come."""
        import torch

        held = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + held

    def count(self) -> int:
        """The GPUs that PyTorch sees."""
        import torch

        return torch.cuda.device_count()

    def peak_mib(self) -> float:
        """Peak memory of this process's tensors on the GPU in MiB; 0 where it has none."""
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return 0.0
        return torch.cuda.max_memory_allocated() / 2**20

    def make_deterministic(self) -> None:
        """By PyTorch's other kernels, for sums whose terms otherwise come in any order."""
        import torch

        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # Read with the first product.
        setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010  (no name to mypy)
        torch.use_deterministic_algorithms(True)

    @contextmanager
    def float32(self) -> Iterator[None]:
        """Without TF32, which `torch.set_float32_matmul_precision` or the environment may have turned on."""
        import torch

        products = torch.backends.cuda.matmul
        name, full = (
            ("fp32_precision", "ieee") if hasattr(products, "fp32_precision") else ("allow_tf32", False)
        )
        before = getattr(products, name)
        setattr(products, name, full)
        try:
            yield
        finally:
            setattr(products, name, before)

    def rng_state(self) -> dict[str, torch.Tensor]:
        """The GPU's generator too."""
        import torch

        return super().rng_state() | {"dropout_cuda": torch.cuda.get_rng_state()}

    def set_rng_state(self, state: dict[str, torch.Tensor]) -> None:
        """The GPU's generator too."""
        import torch

        super().set_rng_state(state)
        torch.cuda.set_rng_state(state["dropout_cuda"])
