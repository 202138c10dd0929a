"""The room as Django sees it."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Organisations, members, roles."""

    name = "folkmoot.desk.people"
    label = "people"
