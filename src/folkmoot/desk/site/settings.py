"""Django's settings, made from :class:`~folkmoot.desk.site.config.Config`. Nothing is read here
but the environment.
"""

import os
from datetime import timedelta
from pathlib import Path

from folkmoot.desk.site.config import Config

CONFIG = Config.from_env(os.environ)

DEBUG = False
SECRET_KEY = CONFIG.read_or_make_key("session.key")
ALLOWED_HOSTS = [CONFIG.host, "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [CONFIG.address]
CSRF_FAILURE_VIEW = "folkmoot.desk.site.views.stale_form"
DATABASES = {"default": CONFIG.django_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The outbound client and the adapters may be pointed at internal hosts, for a PDS of one's own.
INTERNAL_HOSTS = CONFIG.internal_hosts

DESK = Path(__file__).parent.parent
ROOMS = [
    "site",
    "notices",
    "releases",
    "retention",
    "publishing",
    "drafts",
    "accounts",
    "mailing",
    "stops",
    "guidance",
    "people",
    "records",
]
INSTALLED_APPS = [
    *(f"folkmoot.desk.{room}" for room in ROOMS),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "folkmoot.desk.drafts.unsaved.UnsavedWords",
    # Deny by default: a page is open to all only where its view says login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "folkmoot.desk.site.middleware.public_organisation",
    "folkmoot.desk.site.middleware.readable_text",
    "folkmoot.desk.site.middleware.explained_buttons",
]
ROOT_URLCONF = "folkmoot.desk.site.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "OPTIONS": {
            "environment": "folkmoot.desk.site.jinja.environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "folkmoot.desk.site.context.every_page",
            ],
        },
    },
]

AUTH_USER_MODEL = "people.Member"
AUTHENTICATION_BACKENDS = ["folkmoot.desk.people.signin.ByMark"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
LOGOUT_REDIRECT_URL = "front"
ACCOUNT_ADAPTER = "folkmoot.desk.people.signin.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# How often one address may ask the checker: enough for an editor that asks as one types, and too
# little to keep the server busy. Those of signing in are allauth's own.
# Asking for posts by e-mail is for one person now and then, and never often for one address.
ACCOUNT_RATE_LIMITS = {
    "should_i_post": "60/m/ip",
    "api_check": "120/m/ip",
    "subscribe": "20/h/ip,3/h/key",
}
# Nothing stands before a one-box install; a proxy is counted in by whoever puts one there.
ALLAUTH_TRUSTED_PROXY_COUNT = CONFIG.proxies

# Sealed with what the browser has: see there.
SESSION_ENGINE = "folkmoot.desk.site.sessions"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.address.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if SESSION_COOKIE_SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

# The limits on sign-in are counted here; room enough that nobody can flush them out by asking.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = CONFIG.home / "static"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = CONFIG.home / "pictures"
# A picture larger than this is written to disk while it arrives, and then refused in words.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"folkmoot": {"level": "INFO"}},
}
