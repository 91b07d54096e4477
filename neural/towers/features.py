"""Features as vectors: an embedding of every value, a vector for every column.

Notation: n ids, d dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retrieval_leaderboard.neural.towers.columns import Columns, FeatureRows
from retrieval_leaderboard.neural.towers.tables import Table


class FeatureEncoder(nn.Module):
    """One vector a column: of a categorical one its value's, of a multivalued one its values' mean.

    A number has its bucket's vector; all numeric columns together add one vector more, linear in the
    scaled numbers. The vectors of "unknown" start at zero.
    """

    def __init__(self, columns: Columns, dim: int, scale: float, generator: torch.Generator | None) -> None:
        super().__init__()
        self.fields = columns.fields
        """Vectors of an id"""
        self.table = Table(sum(columns.sizes), dim, scale, generator)
        self.table.weight[columns.starts] = 0
        self.numeric = nn.Parameter(torch.randn(2 * len(columns.numeric), dim, generator=generator) * scale)

    def forward(self, rows: FeatureRows, ids: Tensor) -> Tensor:
        """float[n, fields, d]: the vectors of each of `ids`, int64[n]; -1 is a row of unknowns."""
        single = rows.codes[ids]  # (n, single-valued columns)
        several = [values[ids] for values in rows.multivalued]  # (n, most values) each
        vectors = self.vectors(torch.cat([single, *several], dim=1).clamp(min=0))
        first, *rest = vectors.split([single.shape[1], *(each.shape[1] for each in several)], dim=1)
        fields = [first, *(_mean(part, each >= 0) for part, each in zip(rest, several, strict=True))]
        if len(self.numeric):
            fields.append((rows.numbers[ids] @ self.numeric).unsqueeze(1))
        return torch.cat(fields, dim=1)

    def vectors(self, codes: Tensor) -> Tensor:
        """float[n, c, d]: the vector of each of `codes`, int32[n, c], rows of the embedding table."""
        return self.table(codes.long())


def _mean(vectors: Tensor, present: Tensor) -> Tensor:
    """float[n, 1, d]: the mean over the values that are there; zero where there is none.

    Args:
        vectors: float[n, values, d].
        present: bool[n, values].
    """
    share = present / present.sum(dim=1, keepdim=True).clamp(min=1)  # (n, values)
    return share.unsqueeze(1) @ vectors
