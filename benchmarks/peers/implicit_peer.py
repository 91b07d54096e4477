"""implicit: cosine neighbors and ALS."""

from adapter import CORES, K, main


def prepare(data, work, cost):
    import implicit
    from threadpoolctl import threadpool_limits

    # implicit runs threads of its own and asks for a BLAS of one thread.
    threadpool_limits(1, user_api="blas")
    if work["model"] == "item_cf":
        # The item itself is among implicit's K.
        model = implicit.nearest_neighbours.CosineRecommender(K=work["neighbors"] + 1, num_threads=CORES)
        matrix = data.matrix()
    else:
        model = implicit.als.AlternatingLeastSquares(
            factors=work["factors"],
            regularization=work["regularization"],
            iterations=work["iterations"],
            num_threads=CORES,
            random_state=0,
        )
        matrix = data.matrix(work["alpha"])

    def fit():
        model.fit(matrix, show_progress=False)
        return lambda data: model.recommend(data.query, matrix[data.query], N=K)[0]

    return fit


main(prepare, "implicit", "numpy", "scipy")
