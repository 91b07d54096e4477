"""Two-tower models of every kind of tower."""

import pytest

from retrieval_leaderboard.evaluation.models import registry, settings

IN_ORDER = {"examples": "interaction", "max_history": 5}
CHOSEN = {
    "mean": ("infonce", {"examples": "user", "neighbors": 3}),
    "id": ("simplex_ccl", {"examples": "user", "user_share": 0.4, "similarity": "dot"}),
    "id alone": ("dssm_bce", {"examples": "user", "user_share": 1.0}),
    "features": ("infonce", {"examples": "user", "features": True, "mlp": "16-8", "norm": "layer"}),
    "context": ("infonce", {**IN_ORDER, "context": True, "features": True, "interaction": "cross"}),
    "places": ("infonce", {**IN_ORDER, "history_encoder": "position_weighted", "norm": "batch", "mlp": "8"}),
    "user_attention": (
        "infonce", {**IN_ORDER, "history_encoder": "user_attention", "features": True, "interaction": "fm"}
    ),
    "self_attention": ("bsl", {"examples": "user", "history_encoder": "self_attention", "max_history": 4}),
    "causal": ("sasrec", {"max_history": 6}),
}  # fmt: skip


@pytest.fixture(scope="session", params=list(CHOSEN))
def model(request, dataset):
    """Two epochs of training, after which nothing is 0 any more."""
    name, chosen = CHOSEN[request.param]
    chosen = settings.resolve(registry.get(name), {"epochs": 2, "embedding_dim": 16, **chosen}, "here")
    fitted = settings.build(registry.get(name), chosen)
    fitted.fit(dataset.train_valid, None, 0)
    return fitted
