"""Two-tower models; importing the package registers them."""

from neural.bsl import BSL
from neural.dssm_bce import DssmBce
from neural.infonce import InfoNCE
from neural.simplex_ccl import SimpleX

__all__ = ["BSL", "MODELS", "NAMES", "DssmBce", "InfoNCE", "SimpleX"]

MODELS = (InfoNCE, DssmBce, SimpleX, BSL)
"""Every two-tower model"""
NAMES = tuple(model.name for model in MODELS)
"""What they are registered as"""
