"""The simulated GPU itself: it refuses what CUDA refuses, and sees what CUDA's host waits for."""

import pytest
import torch

from retrieval_leaderboard.support.devices import DEVICES
from tests.simulated_gpu.backend import DEVICE, NAME, NOTES, GpuTensor, MixedDevicesError


def test_values_are_real_and_stay_on_the_gpu(gpu) -> None:
    made = torch.arange(4, device=DEVICE) * 2
    assert isinstance(made, GpuTensor) and made.device == torch.device(DEVICE)
    assert made.cpu().tolist() == [0, 2, 4, 6]
    assert torch.as_tensor([1.5], device=NAME).device.type == NAME
    assert torch.rand(3, device=DEVICE, generator=torch.Generator(NAME)).device.type == NAME


@pytest.mark.parametrize("mixed", [
    lambda here, there: here + there,
    lambda here, there: here @ there,
    lambda here, there: torch.cat([here, there]),
    lambda here, there: there[here.long()],
    lambda here, there: torch.nn.functional.embedding(here.long(), there.unsqueeze(1)),
    lambda here, there: torch.rand(3, device=DEVICE, generator=torch.Generator()),
    lambda here, there: torch.rand(3, generator=torch.Generator(DEVICE)),
])  # fmt: skip
def test_devices_do_not_mix(mixed, gpu) -> None:
    with pytest.raises(MixedDevicesError):
        mixed(torch.ones(3, device=DEVICE), torch.ones(3))


def test_a_number_of_main_memory_may_take_part(gpu) -> None:
    assert (torch.ones(3, device=DEVICE) * torch.tensor(2.0)).tolist() == [2, 2, 2]


def test_it_gives_no_array(gpu) -> None:
    with pytest.raises(TypeError, match=r"use Tensor.cpu\(\) first"):
        torch.ones(3, device=DEVICE).numpy()


def _write(numbers, value):
    numbers[numbers.long(), numbers.long()] = value


@pytest.mark.parametrize("waits", [
    lambda n: n.sum().item(),
    lambda n: n.nonzero(),
    lambda n: torch.unique(n),
    lambda n: n[n > 2],
    lambda n: torch.repeat_interleave(n, n.long()),
    lambda n: n.cpu(),
    lambda n: n.copy_(torch.zeros(2)),
    lambda n: torch.zeros(2).to(DEVICE),
    lambda n: n[torch.tensor([0, 1])],
    lambda n: n.tolist(),
    lambda n: bool(n.any()),
    lambda n: _write(n.expand(2, 2).clone(), 1),
])  # fmt: skip
def test_it_sees_what_the_host_waits_for(waits, gpu) -> None:
    numbers = torch.ones(2, device=DEVICE)
    NOTES.clear()
    waits(numbers)
    assert sum(NOTES.waits.values()) == 1
    assert all("test_gpu" not in each for each in NOTES.waits)  # The folder of the GPU is left out.


@pytest.mark.parametrize("free", [
    lambda n: n.masked_fill(n > 2, 0.0),
    lambda n: n.__setitem__(n > 2, 0.0),
    lambda n: n.__setitem__(slice(1), 0.0),
    lambda n: torch.repeat_interleave(n, n.long(), output_size=2),
    lambda n: n.index_put_((n.long(),), n.new_ones(())),
    lambda n: torch.zeros(2, device=DEVICE),
    lambda n: n[n.long()],
])  # fmt: skip
def test_it_sees_no_more_than_that(free, gpu) -> None:
    numbers = torch.ones(2, device=DEVICE)
    NOTES.clear()
    free(numbers)
    assert not NOTES.waits


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_autocast_goes_by_cudas_lists(precision, gpu) -> None:
    low = {"fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    ones = torch.ones(2, 2, device=DEVICE)
    with DEVICES[NAME].autocast(precision):
        product = ones @ ones
        assert product.dtype == torch.nn.functional.linear(ones, ones).dtype == low
        assert product.relu().dtype == (product * product).dtype == low
        assert product.exp().dtype == product.sum().dtype == product.softmax(0).dtype == torch.float32
        assert torch.cat([product, ones]).dtype == torch.float32
        assert (product.double() @ ones.double()).dtype == torch.float64
    with DEVICES[NAME].autocast("fp32"):
        assert (ones @ ones).dtype == torch.float32


def test_a_step_that_overflows_is_left_out(gpu) -> None:
    scaler = DEVICES[NAME].grad_scaler("fp16")
    weight = torch.nn.Parameter(torch.ones(2, device=DEVICE))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    for factor, expected in ((float("inf"), [1.0, 1.0]), (0.5, [0.5, 0.5])):
        optimizer.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert weight.detach().cpu().tolist() == expected


def test_it_knows_how_much_memory_its_tensors_take(gpu) -> None:
    before = NOTES.bytes
    made = torch.zeros(1000, device=DEVICE)
    half = made[:500]
    assert NOTES.bytes - before == 4000
    del made
    assert NOTES.bytes - before == 4000
    del half
    assert NOTES.bytes == before and gpu.peak_mib() >= 4000 / 2**20


def test_a_deterministic_run_is_refused_what_has_no_order(gpu) -> None:
    torch.use_deterministic_algorithms(True)
    numbers = torch.ones(3, device=DEVICE)
    assert numbers.long().cumsum(0).tolist() == [1, 2, 3]
    with pytest.raises(RuntimeError, match="cumsum does not have a deterministic implementation"):
        numbers.cumsum(0)
