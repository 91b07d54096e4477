"""LibRecommender's Swing.

The library's own class wants TensorFlow at import. Its `fit` only calls `recfarm`, the Rust engine
that LibRecommender's author publishes for it, and so does this, with the class's defaults.
"""

from dataclasses import dataclass

from adapter import CORES, K, main, padded

CACHED = 100_000_000


@dataclass
class Sparse:
    """What recfarm reads a matrix from."""

    sparse_indices: list[int]
    sparse_indptr: list[int]
    sparse_data: list[float]


def prepare(data, work, cost):
    import recfarm

    matrix = data.matrix()
    rows = {user: matrix[user].indices.tolist() for user in range(data.n_users)}

    def fit():
        interactions = [sparse(matrix), sparse(matrix.T.tocsr())]
        # recfarm divides by α - 1 + |I_u ∩ I_v|: it leaves one of the two items out of the count.
        alpha = work["smoothing"] + 1
        model = recfarm.Swing(
            work["neighbors"], alpha, CACHED, data.n_users, data.n_items, *interactions, rows, 0.0
        )
        model.compute_swing(CORES)
        return lambda data: padded(model.recommend(data.query.tolist(), K, True, False)[0])

    return fit


def sparse(matrix):
    return Sparse(matrix.indices.tolist(), matrix.indptr.tolist(), matrix.data.tolist())


main(prepare, "recfarm", "numpy", "scipy")
