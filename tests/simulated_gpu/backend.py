"""A second device for a PyTorch without one: real values, strict about devices, with notes of waits.

The key PrivateUse1 under the name "simulated". A tensor of it wraps one in main memory; every operation
refuses to mix devices as CUDA does, and is then computed on the CPU. It stands on a private part of PyTorch:
`REASON` says why it is not here, where it is not.
"""

from __future__ import annotations

import traceback
import weakref
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from retrieval_leaderboard import ROOT

NAME = "simulated"
DEVICE = f"{NAME}:0"
HERE = Path(__file__).parent
WAITING = {
    "_local_scalar_dense", "nonzero", "_unique2", "unique_dim", "unique_consecutive", "masked_select",
    "is_nonzero", "equal",
}  # fmt: skip
"""The host must know how many results there are, or what they are."""
PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "mv", "dot"}
"""In TF32 where that is turned on for CUDA"""
UNDETERMINED = {"bincount", "histc", "median", "put_", "nll_loss_forward", "kthvalue"}
"""Of CUDA, whatever they take"""
INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
BETWEEN = {"_to_copy", "copy_", "copy", "to", "lift_fresh", "is_same_size"}
"""May take tensors of both devices"""


class MixedDevicesError(RuntimeError):
    """An operation got tensors of both devices, or draws by the other device's generator."""


class Notes:
    """What the GPU saw since the last `clear`."""

    def __init__(self) -> None:
        self.alive: Counter[int] = Counter()
        self.bytes = self.peak = 0
        """Of the tensors on the GPU: now, and at most since `clear`"""
        self.clear()

    def clear(self) -> None:
        """Forget calls and waits."""
        self.calls: Counter[str] = Counter()
        """Operation → how often the host called it"""
        self.waits: Counter[str] = Counter()
        """What for, and "file:line" → how often the host waited there"""
        self.low: Counter[str] = Counter()
        """Operation → how often it took fp16 or bf16"""
        self.peak = self.bytes

    def wait(self, what: str) -> None:
        """The host waits."""
        self.waits[f"{what} {_where()}"] += 1

    def hold(self, tensor: GpuTensor) -> None:
        """Count the memory of `tensor` for as long as it or a view of it lives."""
        storage = tensor.raw.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if not self.alive[key]:
            self.bytes += size
            self.peak = max(self.peak, self.bytes)
        self.alive[key] += 1
        weakref.finalize(tensor, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self.alive[key] -= 1
        if not self.alive[key]:
            del self.alive[key]
            self.bytes -= size


NOTES = Notes()


def _where() -> str:
    """The last line of the project that is at work."""
    for frame in reversed(traceback.extract_stack()):
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and not path.is_relative_to(HERE) and ".venv" not in path.parts:
            return f"{path.name}:{frame.lineno}"
    return "backward"


class GpuTensor(torch.Tensor):
    """A tensor on the GPU, whose values are those of `raw`."""

    raw: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> GpuTensor:
        """Of the shape of `raw`, which lies in main memory."""
        made = torch.Tensor._make_wrapper_subclass(
            cls, raw.size(), strides=raw.stride(), storage_offset=raw.storage_offset(),
            dtype=raw.dtype, layout=raw.layout, device=torch.device(DEVICE), requires_grad=False,
        )  # fmt: skip
        made.raw = raw
        NOTES.hold(made)
        return made

    def __init__(self, raw: torch.Tensor) -> None:
        pass

    def __repr__(self) -> str:  # type: ignore[override]
        return f"CardTensor({self.raw})"

    def __setitem__(self, index: Any, value: Any) -> None:
        """As for CUDA: a number to be written lies in main memory and is copied, but for one mask."""
        parts = index if isinstance(index, tuple) else (index,)
        chosen = [each for each in parts if isinstance(each, torch.Tensor)]
        if chosen and not isinstance(value, torch.Tensor):
            if len(chosen) == 1 and chosen[0].dtype == torch.bool:
                torch.Tensor.masked_fill_(self, chosen[0], value)
                return
            NOTES.wait("number written by index")
        torch.Tensor.__setitem__(self, index, value)

    def tolist(self) -> Any:
        """Python's numbers."""
        NOTES.wait("tolist")
        return self.raw.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Refused, as by CUDA."""
        raise TypeError(f"can't convert {DEVICE} device type tensor to numpy; use Tensor.cpu() first")

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Generators(type):
    """`torch.Generator` while the GPU is there: a call makes one of the device that it names."""

    plain: ClassVar[type] = torch.Generator
    gpus: ClassVar[set[int]] = set()
    """Those of the GPU: PyTorch gives an operation another object of the same generator"""

    def __call__(cls, device: Any = "cpu") -> torch.Generator:
        if not on_gpu(device):
            return cls.plain(device)
        made = cls.plain()
        cls.gpus.add(made._cdata)
        weakref.finalize(made, cls.gpus.discard, made._cdata)
        return made

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.plain)


class Generator(metaclass=Generators):
    """Stands for `torch.Generator`."""


class Gpu(TorchDispatchMode):
    """Within, tensors can be made on the GPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def on_gpu(device: Any) -> bool:
    """Whether `device` is the GPU."""
    return device is not None and torch.device(device).type == NAME


def _run(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `func` gives, on the device where CUDA would have it."""
    flat, spec = pytree.tree_flatten((args, kwargs))
    ours = [each for each in flat if isinstance(each, GpuTensor)]
    others = [each for each in flat if isinstance(each, torch.Tensor) and not isinstance(each, GpuTensor)]
    target = kwargs.get("device")
    to_gpu = on_gpu(target) if target is not None else bool(ours)
    _check_generator(func, flat, to_gpu)
    if not ours and not to_gpu:
        return func(*args, **kwargs)
    name = func.overloadpacket.__name__
    NOTES.calls[name] += 1
    if any(each.dtype in (torch.float16, torch.bfloat16) for each in ours):
        NOTES.low[name] += 1
    _check_determined(name, args, found_type=kwargs.get("dtype"))
    if ours and others:
        _check_devices(func, name, args, others)
    _note_waits(name, args, kwargs, to_gpu)
    of_values = _tf32 if name in PRODUCTS and torch.backends.cuda.matmul.fp32_precision == "tf32" else _same
    raw = [of_values(each.raw) if isinstance(each, GpuTensor) else each for each in flat]
    plain_args, plain = pytree.tree_unflatten(raw, spec)
    if plain.get("device") is not None:
        plain["device"] = torch.device("cpu")
    found = func(*plain_args, **plain)
    same = {id(each.raw): each for each in ours} | {id(each): each for each in others}

    def wrapped(each: Any) -> Any:
        if not isinstance(each, torch.Tensor) or not to_gpu:
            return each
        return same[id(each)] if id(each) in same else GpuTensor(each)

    return pytree.tree_map(wrapped, found)


def _same(values: torch.Tensor) -> torch.Tensor:
    return values


def _tf32(values: torch.Tensor) -> torch.Tensor:
    """Rounded to the 10 bits that TF32 keeps of a float32's 23."""
    if values.dtype != torch.float32:
        return values
    return ((values.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def _check_generator(func: Any, flat: list[Any], to_gpu: bool) -> None:
    for each in flat:
        if isinstance(each, Generators.plain) and (each._cdata in Generators.gpus) != to_gpu:
            raise MixedDevicesError(f"{func} draws by a generator of the other device at {_where()}")


def _check_determined(name: str, args: tuple[Any, ...], found_type: torch.dtype | None) -> None:
    """By the list of `torch.use_deterministic_algorithms`."""
    if not torch.are_deterministic_algorithms_enabled():
        return
    floats = name == "cumsum" and (found_type or args[0].dtype).is_floating_point
    products = name.startswith("scatter_reduce") and "prod" in args
    if floats or products or name in UNDETERMINED:
        raise RuntimeError(f"{name} does not have a deterministic implementation, at {_where()}")


def _check_devices(func: Any, name: str, args: tuple[Any, ...], others: list[torch.Tensor]) -> None:
    """A single number may come from main memory; so may the places of an index, for which the host waits."""
    if name in BETWEEN:
        return
    places = [each for each in args[1] if each is not None] if name in INDEXED else []
    if any(each is one for each in others for one in places):
        NOTES.wait("index from main memory")
    wrong = [each for each in others if each.dim() and not any(each is one for one in places)]
    if wrong:
        shapes = [(tuple(each.shape), str(each.device)) for each in wrong]
        raise MixedDevicesError(f"{func} mixes devices at {_where()}: {shapes}")


def _note_waits(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], to_gpu: bool) -> None:
    """Where CUDA's host would wait for the GPU."""
    if name in WAITING:
        NOTES.wait(name)
    if name in INDEXED and any(each is not None and each.dtype == torch.bool for each in args[1]):
        NOTES.wait(f"{name} by mask")
    if name == "repeat_interleave" and kwargs.get("output_size") is None:
        NOTES.wait(name)
    source = args[1] if name == "copy_" else args[0] if name == "_to_copy" else None
    if source is not None and isinstance(source, GpuTensor) != to_gpu and not kwargs.get("non_blocking"):
        NOTES.wait("copy to the GPU" if to_gpu else "copy from the GPU")
