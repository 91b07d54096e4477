"""Classical retrieval models; importing the package registers them."""

from retrieval_leaderboard.baselines import (
    als,
    ease,
    global_hot,
    ials,
    item_cf,
    popular_window,
    rp3beta,
    swing,
    user_knn,
)

__all__ = ["als", "ease", "global_hot", "ials", "item_cf", "popular_window", "rp3beta", "swing", "user_knn"]
