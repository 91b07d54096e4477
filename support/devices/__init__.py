"""The devices that tensors can be on; importing them does not import PyTorch."""

from retrieval_leaderboard.support.devices.cpu import Cpu
from retrieval_leaderboard.support.devices.cuda import Cuda
from retrieval_leaderboard.support.devices.device import AUTOCAST, Device

_ALL = (Cpu(), Cuda())
DEVICES: dict[str, Device] = {each.name: each for each in _ALL}
"""PyTorch's name → the device; where none is asked for, the last that is here is taken"""

__all__ = ["AUTOCAST", "DEVICES", "Device"]
