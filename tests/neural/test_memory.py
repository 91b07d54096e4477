from dataclasses import replace

import pytest

from evaluation.environment import peak_rss_mib
from evaluation.isolation import call
from evaluation.planted import planted
from neural import InfoNCE, memory
from support import progress
from support.errors import InputError

DATA = planted()
WIDE = {"embedding_dim": 256, "epochs": 1, "negatives": 64}
N_ITEMS = 200_000


def wide():
    return replace(DATA.train_valid, n_items=N_ITEMS, item_features=None, user_features=None)


def growth(n_items: int) -> float:
    """MiB that a fit adds to what importing and reading took; called in a process of its own."""
    progress.configure(quiet=True)
    InfoNCE(**WIDE).fit(DATA.train_valid, None, 0)
    before = peak_rss_mib()
    InfoNCE(**WIDE).fit(replace(wide(), n_items=n_items), None, 0)
    return peak_rss_mib() - before


def test_the_estimate_is_what_a_fit_takes() -> None:
    estimate = memory.needed(InfoNCE(**WIDE), wide()) / memory.MIB
    assert 0.6 * estimate < call(growth, N_ITEMS) < 1.3 * estimate


def test_what_cannot_fit_is_refused_with_advice(monkeypatch) -> None:
    monkeypatch.setattr(memory, "available", lambda device: 10 * memory.MIB)
    said = r"infonce needs about [\d,]+ MiB of main memory, 10 MiB are free: lower embedding_dim \(256\)"
    with pytest.raises(InputError, match=said):
        InfoNCE(**WIDE).fit(wide(), None, 0)


def test_features_and_ids_count() -> None:
    def needed(**settings) -> int:
        return memory.needed(InfoNCE(**settings), replace(DATA.train_valid, n_users=1_000_000))

    assert needed(user_share=0.5) - needed() == pytest.approx(1_000_000 * 64 * 4 * memory.COPIES)
    assert needed(features=True) > needed()


def test_available_memory_is_told() -> None:
    assert memory.available("cpu") > 100 * memory.MIB
