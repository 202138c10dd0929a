"""The room as Django sees it."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Releases: what is handed out of the record, and who asked."""

    name = "folkmoot.desk.releases"
    label = "releases"

    def ready(self) -> None:
        """Have what is erased or disposed of reach the bags that lie here."""
        from folkmoot.desk.retention.copies import destroys_copies_here

        from .making import destroy_holding

        destroys_copies_here(destroy_holding)
