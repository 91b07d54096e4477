"""Devices: which one is taken, and one that nothing but its registration makes known."""

import numpy as np
import pytest
import torch

from retrieval_leaderboard.datasets import Ragged
from retrieval_leaderboard.evaluation.ranking import topk, topk_torch
from retrieval_leaderboard.support import compute
from retrieval_leaderboard.support.devices import AUTOCAST, DEVICES
from retrieval_leaderboard.support.devices.cpu import Cpu
from retrieval_leaderboard.support.errors import InputError


class Simulated(Cpu):
    """The CPU in another's clothes."""

    title = "simulated GPU"
    precision = "bf16"
    asynchronous = True
    has_float64 = True
    guessed = here = True

    def may_be_here(self) -> bool:
        return self.guessed

    def is_here(self) -> bool:
        return self.here


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.setitem(DEVICES, "simulated", device := Simulated())
    monkeypatch.setattr(compute, "_current", compute.current())
    monkeypatch.setattr(compute.os, "environ", dict(compute.os.environ))
    return device


def test_without_a_word_an_accelerator_is_taken_with_its_precision(gpu) -> None:
    found = compute.configure()
    assert (found.device, found.precision) == ("simulated", "bf16")
    assert compute.configure(precision="fp32").precision == "fp32"
    assert compute.device() is gpu
    assert compute.configure("cpu").precision == "fp32"


def test_one_that_is_not_here_is_refused_by_name_and_left_out_else(gpu) -> None:
    gpu.here = False
    with pytest.raises(InputError, match="--device simulated: PyTorch sees no simulated GPU here"):
        compute.configure("simulated")
    assert compute.configure().device != "simulated"


def test_pytorch_is_not_asked_where_there_is_no_driver(gpu, monkeypatch) -> None:
    gpu.guessed = False
    monkeypatch.setattr(gpu, "is_here", lambda: pytest.fail("asked"))
    assert compute.configure().device != "simulated"


@pytest.mark.parametrize("has_float64", [True, False])
def test_a_device_ranks_where_it_has_float64(has_float64, gpu, monkeypatch) -> None:
    compute.configure("simulated")
    gpu.has_float64 = has_float64
    asked = []
    monkeypatch.setattr(topk_torch, "inner_product", lambda *words: asked.append(words[5]) or "lists")
    vectors = np.eye(3, dtype=np.float32)
    found = topk.inner_product(vectors, vectors, Ragged.empty(3), 1)
    assert (found == "lists", asked) == ((True, ["cpu"]) if has_float64 else (False, []))


@pytest.mark.parametrize("precision", AUTOCAST)
def test_products_are_in_the_precision_asked_for(precision) -> None:
    ones = torch.ones(2, 2)
    with DEVICES["cpu"].autocast(precision):
        number = (ones @ ones).dtype
    assert number == {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    assert DEVICES["cpu"].grad_scaler(precision).is_enabled() == (precision == "fp16")


def test_dropout_goes_on_from_a_state() -> None:
    device = DEVICES["cpu"]
    state = device.rng_state()
    first = torch.rand(3)
    device.set_rng_state(state | {"other": first})
    assert torch.equal(torch.rand(3), first)


def test_a_gpu_that_is_not_used_has_no_peak() -> None:
    assert DEVICES["cuda"].peak_mib() == DEVICES["cpu"].peak_mib() == 0


def test_what_pytorch_holds_of_a_gpus_memory_is_free(monkeypatch) -> None:
    for name, found in (("mem_get_info", (3, 10)), ("memory_reserved", 5), ("memory_allocated", 4)):
        monkeypatch.setattr(torch.cuda, name, lambda found=found: found)
    assert DEVICES["cuda"].free_bytes() == 3 + 5 - 4


def test_products_of_float32_are_without_tf32_on_a_gpu() -> None:
    products = torch.backends.cuda.matmul
    new = hasattr(products, "fp32_precision")  # PyTorch 2.9 and later.
    name, turned_on, full = ("fp32_precision", "tf32", "ieee") if new else ("allow_tf32", True, False)
    before = getattr(products, name)
    setattr(products, name, turned_on)
    try:
        with DEVICES["cuda"].float32():
            assert getattr(products, name) == full
        assert getattr(products, name) == turned_on
    finally:
        setattr(products, name, before)


def test_another_gpu_is_chosen_by_the_environment() -> None:
    with pytest.raises(InputError, match="--device cuda:1: give auto, cpu or cuda; CUDA_VISIBLE_DEVICES=1"):
        compute.configure("cuda:1")


def test_a_deterministic_run_is_one_in_the_processes_it_starts_too(gpu) -> None:
    assert not compute.is_deterministic()
    compute.make_deterministic()
    assert compute.is_deterministic() and compute.os.environ[compute.DETERMINISTIC] == "1"


def test_steps_are_compiled_on_an_accelerator_in_the_processes_it_starts_too(gpu) -> None:
    compute.configure("cpu")
    with pytest.raises(InputError, match="--compile: steps on a processor have compiled kernels already"):
        compute.make_compiled()
    assert not compute.is_compiled()
    compute.configure("simulated")
    compute.make_compiled()
    assert compute.is_compiled() and compute.os.environ[compute.COMPILED] == "1"
