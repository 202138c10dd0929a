"""Sending what was signed, once, on time, and saying honestly what became of it."""
