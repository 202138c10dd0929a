"""Fixtures of the guidance tests."""

from guidance_small_pack import write_pack

__all__ = ["write_pack"]
