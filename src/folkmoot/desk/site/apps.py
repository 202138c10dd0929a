"""The room as Django sees it."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.site"
    label = "site"
