"""Whether a bundle's model has an answer of their own for users whom it has never seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from retrieval_leaderboard.serving.bundles.bundle import Bundle
from retrieval_leaderboard.support import progress


def have_their_own(
    opened: Bundle, double_of: Callable[[npt.NDArray[np.int32]], int | None], what: str, instead: str
) -> bool:
    """False, and said, where the model gives them what is one user's whom it knows.

    Args:
        opened: the bundle.
        double_of: int32[n], codes of users with interactions, ascending → whose answer unseen users get;
            None for nobody's.
        what: it is that the model gives.
        instead: what they get from the bundle.
    """
    known = np.flatnonzero(opened.histories.lengths).astype(np.int32)
    double = double_of(known) if len(known) else None
    if double is not None:
        progress.say(
            f"{opened.about.model} answers unseen users with the {what} of the known user "
            f"'{opened.user_ids[double]}': unseen users get {instead}; see Retriever.user_rows"
        )
    return double is None
