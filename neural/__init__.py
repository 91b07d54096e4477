"""Two-tower models; importing the package registers them."""

from neural.dssm_bce import DssmBce
from neural.infonce import InfoNCE
from neural.simplex_ccl import SimpleX

__all__ = ["DssmBce", "InfoNCE", "SimpleX"]
