"""Addresses of the room retention, below ``/desk/records/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import erasure_views, hold_views, views

urlpatterns: list[URLPattern] = [
    path("retention/", views.schedule, name="retention_schedule"),
    path("retention/decide", views.decide_schedule, name="retention_decide"),
    path("retention/due", views.due, name="retention_due"),
    path("retention/disposals/", views.batches, name="retention_batches"),
    path("retention/disposals/<int:batch_id>", views.batch, name="retention_batch"),
    path("retention/class/<str:record_class>", views.rule, name="retention_rule"),
    path("holds/", hold_views.holds, name="retention_holds"),
    path("holds/new", hold_views.new_hold, name="retention_new_hold"),
    path("holds/<int:hold_id>", hold_views.hold, name="retention_hold"),
    path("erasure/", erasure_views.erasures, name="retention_erasures"),
    path("erasure/new", erasure_views.new_erasure, name="retention_new_erasure"),
    path("erasure/<int:erasure_id>", erasure_views.erasure, name="retention_erasure"),
    path("erasure/alarm/<int:alarm_id>", erasure_views.alarm, name="retention_alarm"),
]
