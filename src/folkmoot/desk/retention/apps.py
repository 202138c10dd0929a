"""The room as Django sees it."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Retention: how long, holds, disposal and erasure."""

    name = "folkmoot.desk.retention"
    label = "retention"
