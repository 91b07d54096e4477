"""A device whose checkpoints hold a number of its own, which stands for the state of its generator."""

from typing import Any

import torch


class OwnGenerator:
    """Goes before a class of devices."""

    own = 7

    def rng_state(self: Any) -> dict[str, torch.Tensor]:
        return super().rng_state() | {"dropout_gpu": torch.tensor(self.own)}

    def set_rng_state(self: Any, state: dict[str, torch.Tensor]) -> None:
        super().set_rng_state(state)
        self.own = int(state["dropout_gpu"])
