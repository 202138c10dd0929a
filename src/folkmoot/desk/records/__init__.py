"""The record: every step leaves an entry in a tamper-evident log, and anyone can check it.

Lowest of the rooms: whoever changes something calls :func:`.actions.record` in the same
transaction. Knows people and things only as opaque ids.
"""
