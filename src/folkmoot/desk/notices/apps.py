"""The room as Django sees it."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.notices"
    label = "notices"
