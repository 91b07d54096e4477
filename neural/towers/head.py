"""From the vectors of a tower's fields to one vector: their sum, and what a deep part adds to it.

Notation: n rows, f fields, d dimensions.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from retrieval_leaderboard.neural.tower_settings import TowerSettings
from retrieval_leaderboard.neural.training.exact import BatchNorm, LayerNorm


class Head(nn.Module):
    """Σ fields + MLP(interaction(fields)).

    The sum is what a tower without a deep part is. The MLP's last layer starts at zero, so that
    training starts from that and the deep part only adds what helps.
    """

    def __init__(self, fields: int, settings: TowerSettings, generator: torch.Generator | None) -> None:
        super().__init__()
        dim = settings.embedding_dim
        self.interact = _INTERACTIONS[settings.interaction](fields, dim)
        layers: list[nn.Module] = []
        widths = [self.interact.width, *settings.widths]
        for inputs, outputs in pairwise(widths):
            layers += [*_norm(settings.norm, inputs), nn.Linear(inputs, outputs), nn.ReLU()]
            layers += [nn.Dropout(settings.dropout)] if settings.dropout else []
        last = nn.Linear(widths[-1], dim)
        deep = settings.widths or settings.interaction != "none"
        self.layers = nn.Sequential(*layers, last) if deep else None
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.kaiming_uniform_(part.weight, nonlinearity="relu", generator=generator)
                nn.init.zeros_(part.bias)
        nn.init.zeros_(last.weight)

    def forward(self, fields: Tensor) -> Tensor:
        """float[n, d] of float[n, f, d]."""
        total = fields.sum(dim=1) if fields.shape[1] > 1 else fields.squeeze(1)
        return total if self.layers is None else total + self.layers(self.interact(fields)).float()


class Concatenation(nn.Module):
    """The fields beside each other: float[n, f·d]."""

    def __init__(self, fields: int, dim: int) -> None:
        super().__init__()
        self.width = fields * dim

    def forward(self, fields: Tensor) -> Tensor:
        """float[n, width] of float[n, f, d]."""
        return fields.flatten(1)


class Cross(Concatenation):
    """Two cross layers of DCN-v2, x ← x₀ ⊙ (W·x + b) + x (Wang et al. 2021, eq. 1)."""

    def __init__(self, fields: int, dim: int) -> None:
        super().__init__(fields, dim)
        self.layers = nn.ModuleList(nn.Linear(self.width, self.width) for _ in range(2))

    def forward(self, fields: Tensor) -> Tensor:
        """float[n, width] of float[n, f, d]."""
        first = vector = fields.flatten(1)
        for layer in self.layers:
            vector = first * layer(vector) + vector
        return vector


class FactorizationMachine(Concatenation):
    """The fields, and the sum of the products of all pairs of them, ½((Σv)² - Σv²) (Rendle 2010, eq. 5)."""

    def __init__(self, fields: int, dim: int) -> None:
        super().__init__(fields, dim)
        self.width += dim

    def forward(self, fields: Tensor) -> Tensor:
        """float[n, width] of float[n, f, d]."""
        pairs = 0.5 * (fields.sum(dim=1) ** 2 - (fields**2).sum(dim=1))  # (n, d)
        return torch.cat([fields.flatten(1), pairs], dim=1)


_INTERACTIONS = {"none": Concatenation, "cross": Cross, "fm": FactorizationMachine}


def _norm(name: str, width: int) -> list[nn.Module]:
    kinds: dict[str, list[type[nn.Module]]] = {"none": [], "layer": [LayerNorm], "batch": [BatchNorm]}
    return [kind(width) for kind in kinds[name]]
