"""The simulated GPU as a fixture: a device of the suite like any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import DEVICES
from retrieval_leaderboard.support.devices.cuda import Cuda
from retrieval_leaderboard.support.devices.device import Device
from tests.own_generator import OwnGenerator
from tests.simulated_gpu import backend
from tests.simulated_gpu.registration import REASON


class SimulatedGpu(OwnGenerator, Device):
    """Answers as `Cuda` does."""

    name, title = backend.NAME, "simulated GPU"
    precision = "fp16"
    memory_name, shares_main_memory = "GPU", False
    asynchronous = True
    float32, make_deterministic = Cuda.float32, Cuda.make_deterministic

    def may_be_here(self) -> bool:
        return True

    def is_here(self) -> bool:
        return True

    def hardware(self) -> str:
        return "a simulated GPU"

    def free_bytes(self) -> int:
        return 2**40

    def peak_mib(self) -> float:
        return backend.NOTES.peak / 2**20


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedGpu]:
    """The device, which the process computes on in fp32; `backend.NOTES` are empty."""
    if REASON:
        pytest.skip(REASON)
    monkeypatch.setitem(DEVICES, backend.NAME, device := SimulatedGpu())
    monkeypatch.setattr(torch, "Generator", backend.Generator)
    # An inference tensor keeps no version, which wrapped tensors need.
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", _attention)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    compute_on(monkeypatch, "fp32")
    torch._C._set_only_lift_cpu_tensors(True)
    backend.NOTES.clear()
    with backend.Gpu():
        yield device
    torch._C._set_only_lift_cpu_tensors(False)
    torch.use_deterministic_algorithms(False)


def compute_on(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    """Compute on the GPU in `precision` from here on."""
    monkeypatch.setattr(compute, "_current", compute.Compute(1, backend.NAME, precision))


_sdpa = torch.nn.functional.scaled_dot_product_attention


def _attention(
    query: Any, key: Any, value: Any, mask: Any = None, dropout: float = 0.0, is_causal=False
) -> Any:
    """That of the GPU by plain products: the CPU's fused kernels refuse other devices."""
    if not isinstance(query, backend.GpuTensor):
        return _sdpa(query, key, value, mask, dropout, is_causal)
    if torch.is_autocast_enabled(backend.NAME):
        low = torch.get_autocast_dtype(backend.NAME)
        query, key, value = (each.to(low) for each in (query, key, value))
    return torch.ops.aten._scaled_dot_product_attention_math(query, key, value, mask, dropout, is_causal)[0]
