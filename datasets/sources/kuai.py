"""What KuaiRec and KuaiRand say of their users, in the same columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.datasets.aliec.raw_files import RawFile
from retrieval_leaderboard.datasets.features import Features
from retrieval_leaderboard.datasets.sources import describe

USER_COLUMNS = (
    "user_active_degree",
    "follow_user_num_range",
    "fans_user_num_range",
    "friend_user_num_range",
    "register_days_range",
)


def user_features(file: RawFile, ids: npt.NDArray[np.object_]) -> Features:
    """Of the users `ids`, object[n]."""
    described = describe.table([file], "user_id", USER_COLUMNS, text_key=False)
    return describe.features(describe.rows_of(ids, described, "user_id"), USER_COLUMNS)
