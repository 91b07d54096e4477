"""What trains a model's towers, of a model whose settings may be left to rules."""

from retrieval_leaderboard.datasets.dataset import Interactions
from retrieval_leaderboard.neural.training.trainer import Trainer
from retrieval_leaderboard.neural.two_tower import TwoTower


def trainer_of(model: TwoTower, train: Interactions, seed: int = 0) -> Trainer:
    settings = model.resolved(train, None)
    return Trainer(settings, settings.pair_loss, train, seed)
