"""Simulated channels on loopback, with faults on demand: to practise, and to test, without any
account. Each adapter's folder has its own in ``simulated.py``, as ``SIMULATED``.
"""

from importlib import import_module

from folkmoot.channels.simulator.faults import Fault, Faults, Occasion, Strike
from folkmoot.channels.simulator.http import Asked, Said, say
from folkmoot.channels.simulator.server import Happened, Simulated, Simulator
from folkmoot.channels.simulator.store import Medium, Store, Stored

__all__ = [
    "Asked",
    "Fault",
    "Faults",
    "Happened",
    "Medium",
    "Occasion",
    "Said",
    "Simulated",
    "Simulator",
    "Store",
    "Stored",
    "Strike",
    "make_simulated",
    "say",
]


def make_simulated(channel: str) -> Simulated:
    """A fresh simulated channel. Raises :class:`KeyError` where there is none of this name."""
    try:
        module = import_module(f"folkmoot.channels.{channel}.simulated")
    except ModuleNotFoundError as missing:
        raise KeyError(channel) from missing
    simulated: Simulated = module.SIMULATED()
    return simulated
