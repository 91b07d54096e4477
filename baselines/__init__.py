"""Classical retrieval models; importing the package registers them."""

from retrieval_leaderboard.baselines import als, global_hot, item_cf, swing

__all__ = ["als", "global_hot", "item_cf", "swing"]
