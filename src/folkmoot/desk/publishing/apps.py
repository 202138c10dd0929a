"""The room as Django sees it."""

from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.publishing"
    label = "publishing"
