"""A channel to practise on, with the limits of a real one and faults on demand.

A body can rehearse here what it does when an answer is lost, before it has an account anywhere.
"""

from folkmoot.channels.practice.adapter import Practice
from folkmoot.channels.practice.faults import Fault, Faults, Occasion, Script

__all__ = ["Fault", "Faults", "Occasion", "Practice", "Script"]
