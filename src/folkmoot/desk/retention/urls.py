"""Addresses of the room retention, below ``/desk/records/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
