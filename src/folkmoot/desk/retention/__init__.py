"""Retention: how long, holds, disposal and erasure."""
