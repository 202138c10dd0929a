"""Should I post this? Rules look at a post in its context; findings cite clauses.

>>> from folkmoot.check import Checker, Post, Context
>>> from folkmoot.guidance import load_pack
>>> report = Checker(load_pack("uk-civil-service")).check(Post("..."), Context(...))
"""
