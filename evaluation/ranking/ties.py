"""The order of items that score alike: one fixed shuffle of the catalog, the same for every model.

Codes follow the ids of a source, and ids often follow popularity: ties broken by code would let a model
that scores all items alike answer with the most popular ones.
"""

from __future__ import annotations

from typing import Any

SEED = 0x9E3779B9
WORD = 0xFFFFFFFF


def rank(items: Any) -> Any:
    """The place of items among others of equal score, the smallest first; no two items share one.

    The 32-bit finalizer of MurmurHash3 (Appleby 2011), which maps the 32-bit numbers onto themselves, after
    a seed. It needs no table, so that kernels, GPUs and services agree and items may be added.

    Args:
        items: codes from 0 to 2³² - 1: an int, or an array or tensor of int64.

    Returns:
        Numbers from 0 to 2³² - 1, of the type and shape of `items`.
    """
    mixed = items ^ SEED
    mixed = ((mixed ^ (mixed >> 16)) * 0x85EBCA6B) & WORD
    mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & WORD
    return mixed ^ (mixed >> 16)
