"""Addresses of the room releases, below ``/desk/records/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import bag_views, redact_views, views

urlpatterns: list[URLPattern] = [
    path("", views.index, name="records"),
    path("entries/<str:entry_id>.tlog-proof", views.proof, name="records_proof"),
    path("entries/<str:entry_id>", views.entry, name="records_entry"),
    path("requests/", views.requests, name="records_requests"),
    path("requests/new", views.new_request, name="records_new_request"),
    path("requests/<str:ref>", views.request_page, name="records_request"),
    path("requests/<str:ref>/entries", redact_views.entries, name="records_chosen"),
    path("requests/<str:ref>/fields", redact_views.redact, name="records_redact"),
    path(
        "requests/<str:ref>/fields/<str:entry_id>",
        redact_views.redact_entry,
        name="records_redact_entry",
    ),
    path("requests/<str:ref>/reading", redact_views.reading, name="records_reading"),
    path("requests/<str:ref>/<str:verb>", views.request_take, name="records_request_take"),
    path("bags/", bag_views.bags, name="records_bags"),
    path("bags/new", bag_views.new_bag, name="records_new_bag"),
    path("bags/<str:ref>", bag_views.bag_page, name="records_bag"),
    path("bags/<str:ref>/download", bag_views.download, name="records_download"),
    path("bags/<str:ref>/<str:verb>", bag_views.bag_take, name="records_bag_take"),
]
