"""Small packages with a model, as `pip install` would leave them."""

import importlib
import sys
from contextlib import contextmanager

MODEL = '''
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from retrieval_leaderboard.evaluation import ItemToItemRetriever, register


{decorator}
@dataclass
class Neighbor(ItemToItemRetriever):
    """The next item by number."""

    def fit(self, train, valid, seed):
        items = np.arange(train.n_items)
        ones = np.ones(train.n_items, dtype=np.float32)
        self.similarity_ = csr_array((ones, (items, np.roll(items, 1))), shape=(train.n_items, train.n_items))
'''


@contextmanager
def alone():
    """Within, imports and additions to the path are of this test alone."""
    path, modules = [*sys.path], {*sys.modules}
    importlib.invalidate_caches()
    yield
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        if not name.startswith(("retrieval_leaderboard", "scipy", "numpy", "torch")):
            del sys.modules[name]


def write(folder, package, decorator=""):
    """A package with a class `Neighbor` in its module `models`."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    (folder / package / "models.py").write_text(MODEL.format(decorator=decorator))


def install(folder, distribution, **entries):
    """The metadata of an installed distribution that declares name → "package.module:Class"."""
    about = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (about / "entry_points.txt").write_text("\n".join(["[retrieval_leaderboard.models]", *lines]) + "\n")
