"""The room as Django sees it."""

from django.apps import AppConfig


class MailingConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.mailing"
    label = "mailing"
