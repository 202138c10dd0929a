"""The room as Django sees it."""

from django.apps import AppConfig


class StopsConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.stops"
    label = "stops"
