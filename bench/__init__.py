"""Figures as ratios against a named peer, measured in the same run. Run with ``make bench``."""
