"""The room as Django sees it."""

from django.apps import AppConfig


class DraftsConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.drafts"
    label = "drafts"
