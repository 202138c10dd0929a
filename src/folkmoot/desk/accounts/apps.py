"""The room as Django sees it."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room."""

    name = "folkmoot.desk.accounts"
    label = "accounts"
