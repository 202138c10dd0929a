"""Writes of the room releases, and what it owes now: the worker calls :func:`work` over and over.

Each action is one transaction and leaves one entry in the record.
"""

from __future__ import annotations

from .answering import agree, prepare, refuse, release, send_back, withdraw
from .bagging import agree as agree_to_bag
from .bagging import fetch, propose, remove, retry
from .making import destroy_holding, open_file, work
from .redacting import Which, show, withhold
from .requests import (
    CHANNELS,
    ask,
    begin_redaction,
    begin_search,
    choose,
    drop,
    extend,
    hear,
    look_for,
    must_be_officer,
    receive,
)
from .scope import Scope
from .steps import ReleaseRefused

__all__ = [
    "CHANNELS",
    "ReleaseRefused",
    "Scope",
    "Which",
    "agree",
    "agree_to_bag",
    "ask",
    "begin_redaction",
    "begin_search",
    "choose",
    "destroy_holding",
    "drop",
    "extend",
    "fetch",
    "hear",
    "look_for",
    "must_be_officer",
    "open_file",
    "prepare",
    "propose",
    "receive",
    "refuse",
    "release",
    "remove",
    "retry",
    "send_back",
    "show",
    "withdraw",
    "withhold",
    "work",
]
