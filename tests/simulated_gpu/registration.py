"""Makes the simulated GPU known to PyTorch, with the lists of operations by which CUDA's autocast goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import _pytree as pytree

from tests.simulated_gpu.backend import NAME, GpuTensor

aten = torch.ops.aten
HALF = (torch.float16, torch.bfloat16)
LOW = """addmm addmv addr matmul einsum mm mv linear addbmm baddbmm bmm chain_matmul linalg_multi_dot
linalg_vecdot scaled_dot_product_attention prelu"""
FULL = """acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow softplus
layer_norm native_layer_norm group_norm cosine_similarity nll_loss kl_div l1_loss smooth_l1_loss huber_loss
mse_loss binary_cross_entropy_with_logits dist pdist cdist renorm logsumexp"""
FULL_RESULT = "prod softmax log_softmax cumprod cumsum sum linalg_vector_norm norm"
WIDEST = "addcdiv addcmul atan2 bilinear cross dot index_put tensordot scatter_add cat stack"
"""Of aten/src/ATen/autocast_mode.h: computed in the low precision, in float32, with a float32 result where no
other is asked for, and in float32 where one of the tensors is."""

Rule = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]


def register() -> str:
    """Register it once a process; "" or why it cannot be."""
    try:
        from torch.utils.backend_registration import (
            _DummyBackendModule,
            _setup_privateuseone_for_python_backend,
        )
    except ImportError:
        return f"PyTorch {torch.__version__} has no backends in Python"

    class Module(_DummyBackendModule):
        """`torch.simulated`"""

        def get_amp_supported_dtype(self) -> list[torch.dtype]:
            return [*HALF, torch.float32]

        def get_rng_state(self, device: Any = None) -> torch.Tensor:
            return torch.zeros(16, dtype=torch.uint8)

        def set_rng_state(self, state: torch.Tensor, device: Any = None) -> None:
            pass

    try:
        _setup_privateuseone_for_python_backend(NAME, backend_module=Module())
        _register_autocast()
    except (RuntimeError, AttributeError, TypeError) as error:
        return f"PyTorch {torch.__version__} registers backends otherwise: {error}"
    return ""


def _register_autocast() -> None:
    library = torch.library.Library("aten", "IMPL", "AutocastPrivateUse1")
    others = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    others.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    LIBRARIES.extend((library, others))
    for names, rule in ((LOW, _low), (FULL, _full), (FULL_RESULT, _full_result), (WIDEST, _widest)):
        for packet in (getattr(aten, name) for name in names.split() if hasattr(aten, name)):
            for overload in packet.overloads():
                operation = getattr(packet, overload)
                takes_type = "dtype" in str(operation._schema)
                if "out" not in overload.split("_") and (takes_type or rule is not _full_result):
                    library.impl(operation, _kernel(operation, rule), "AutocastPrivateUse1")


LIBRARIES: list[torch.library.Library] = []
"""Registrations end with their library."""


def _kernel(operation: Any, rule: Rule) -> Callable[..., Any]:
    key = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def kernel(*args: Any, **kwargs: Any) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(key):
            args, kwargs = rule(args, kwargs)
            return operation(*args, **kwargs)

    return kernel


def _low(args: Any, kwargs: Any) -> Any:
    return _cast(args, kwargs, torch.get_autocast_dtype(NAME))


def _full(args: Any, kwargs: Any) -> Any:
    return _cast(args, kwargs, torch.float32)


def _full_result(args: Any, kwargs: Any) -> Any:
    low = any(isinstance(each, GpuTensor) and each.dtype in HALF for each in pytree.tree_leaves(args))
    return args, kwargs | {"dtype": torch.float32} if low and kwargs.get("dtype") is None else kwargs


def _widest(args: Any, kwargs: Any) -> Any:
    tensors = [each for each in pytree.tree_leaves((args, kwargs)) if isinstance(each, GpuTensor)]
    wide = any(each.dtype == torch.float32 for each in tensors)
    return _cast(args, kwargs, torch.float32) if wide else (args, kwargs)


def _cast(args: Any, kwargs: Any, precision: torch.dtype) -> Any:
    def cast(each: Any) -> Any:
        floats = isinstance(each, GpuTensor) and each.is_floating_point() and each.dtype != torch.float64
        return each.to(precision) if floats else each

    return pytree.tree_map(cast, (args, kwargs))


REASON = register()
"""Why there is no simulated GPU, "" where there is one"""
