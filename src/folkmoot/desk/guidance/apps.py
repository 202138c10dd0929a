"""The room as Django sees it."""

from django.apps import AppConfig


class GuidanceConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.guidance"
    label = "guidance"
