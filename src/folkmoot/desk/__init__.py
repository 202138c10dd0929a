"""The desk: the application that gives the engines people, pages and state.

One Django app a room. Upper may import lower, and then only ``actions`` (writes) and ``queries``
(reads): ``site`` > ``publishing`` > ``drafts`` > ``accounts`` > ``guidance`` > ``people`` >
``records``.
"""
