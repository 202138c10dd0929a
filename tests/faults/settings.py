"""The desk's own settings on a home that ``FOLKMOOT_HOME`` names, with quick password hashing."""

from folkmoot.desk.site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING = {"version": 1, "disable_existing_loggers": False}
