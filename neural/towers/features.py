"""Features as vectors: an embedding of every value, a vector for every column.

Notation: n ids, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows, has_vector
from retrieval_leaderboard.neural.towers.tables import Table, normal


class FeatureEncoder(nn.Module):
    """One vector a column with codes: its code's, or the mean of its codes'.

    The numbers of each kind of columns add one vector more, linear in them; so does each column of vectors,
    linear in the vector less the mean, scaled to length 1. The vectors of "unknown" start at zero; where a
    column's vector is not known, it adds zero.
    """

    def __init__(self, columns: Columns, dim: int, scale: float, generator: torch.Generator | None) -> None:
        super().__init__()
        self.fields = columns.fields
        """Vectors of an id"""
        self.table = Table(sum(columns.sizes), dim, scale, generator)
        self.table.weight[columns.starts] = 0
        self.numbers = columns.numbers
        """Numbers of each linear vector"""
        self.numeric = nn.Parameter(normal(sum(self.numbers), dim, scale, generator))
        self.projections = nn.ParameterList(
            _orthonormal(each.dimension, dim, generator) * scale * dim**0.5
            for each in columns.vectors.values()
        )
        for at, each in enumerate(columns.vectors.values()):
            self.register_buffer(f"mean_{at}", torch.tensor(each.mean), persistent=False)

    def forward(self, rows: FeatureRows, ids: Tensor) -> Tensor:
        """float[n, fields, d]: the vectors of each of `ids`, int64[n]; -1 is a row of unknowns."""
        single = rows.codes[ids]  # (n, columns with one code)
        several = [values[ids] for values in rows.several]  # (n, most codes) each
        vectors = self.vectors(torch.cat([single, *several], dim=1).clamp(min=0))
        first, *rest = vectors.split([single.shape[1], *(each.shape[1] for each in several)], dim=1)
        fields = [first, *(_mean(part, each >= 0) for part, each in zip(rest, several, strict=True))]
        return torch.cat([*fields, *self._linear(rows, ids), *self._projected(rows, ids)], dim=1)

    def _linear(self, rows: FeatureRows, ids: Tensor) -> list[Tensor]:
        """float[n, 1, d] of each kind with numbers."""
        if not self.numbers:
            return []
        parts = zip(rows.numbers[ids].split(self.numbers, 1), self.numeric.split(self.numbers), strict=True)
        return [(numbers @ projection).unsqueeze(1) for numbers, projection in parts]

    def _projected(self, rows: FeatureRows, ids: Tensor) -> list[Tensor]:
        """float[n, 1, d] of each column of vectors."""
        found = []
        for at, (vectors, projection) in enumerate(zip(rows.vectors, self.projections, strict=True)):
            centered = vectors[ids.clamp(min=0)] - self.get_buffer(f"mean_{at}")  # (n, w)
            known = has_vector(vectors, ids).unsqueeze(1)
            unit = functional.normalize(centered.masked_fill(~known, 0), dim=1)
            found.append((unit @ projection).unsqueeze(1))
        return found

    def vectors(self, codes: Tensor) -> Tensor:
        """float[n, c, d]: the vector of each of `codes`, int32[n, c], rows of the embedding table."""
        return self.table(codes.long())


def _orthonormal(width: int, dim: int, generator: torch.Generator | None) -> Tensor:
    """float32[width, dim], its longer side of orthonormal vectors: near vectors begin near each other; zeros
    without a generator.

    In float64, so that the number of threads does not show.
    """
    if generator is None:
        return torch.zeros(width, dim)
    drawn = torch.randn(max(width, dim), min(width, dim), generator=generator, dtype=torch.float64)
    found = torch.linalg.qr(drawn).Q.float()
    return found if width >= dim else found.T.contiguous()


def _mean(vectors: Tensor, present: Tensor) -> Tensor:
    """float[n, 1, d]: the mean over the values that are there; zero where there is none.

    Args:
        vectors: float[n, values, d].
        present: bool[n, values].
    """
    share = present / present.sum(dim=1, keepdim=True).clamp(min=1)  # (n, values)
    # Not a product of matrices: with so small ones that takes several times as long.
    return (share.unsqueeze(2) * vectors).sum(dim=1, keepdim=True)
