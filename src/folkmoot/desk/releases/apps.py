"""The room as Django sees it."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Releases: what is handed out of the record, and who asked."""

    name = "folkmoot.desk.releases"
    label = "releases"
