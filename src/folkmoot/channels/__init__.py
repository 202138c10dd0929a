"""Where people are: one port to every channel, and an adapter for each.

The port is :mod:`.port`; every adapter passes the contract kit in :mod:`.contract`.
"""
