"""The room as Django sees it."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The record."""

    name = "folkmoot.desk.records"
    label = "records"
