"""The body's presences on channels: who connected them, how healthy they are, their tokens.

Tokens are sealed under a key of their own (:mod:`.vault`) and opened only to reach the channel.
"""
