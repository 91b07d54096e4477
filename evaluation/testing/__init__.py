"""Checks for people who write models."""

from retrieval_leaderboard.evaluation.testing.contract import ContractError, check_model

__all__ = ["ContractError", "check_model"]
