"""What stands around the posts of a simulated Mastodon server: its account, application, limits.

Source: Mastodon documentation, entities "CredentialAccount", "Application" and "Instance".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def make_account(server: str, username: str, statuses: int) -> dict[str, Any]:
    """The account, which has published so many ``statuses``."""
    return {
        "id": "1",
        "username": username,
        "acct": username,
        "display_name": "The council",
        "locked": False,
        "bot": False,
        "group": False,
        "indexable": True,
        "discoverable": True,
        "created_at": "2024-01-01T00:00:00.000Z",
        "note": "",
        "url": f"{server}/@{username}",
        "uri": f"{server}/users/{username}",
        "avatar": f"{server}/avatar.png",
        "avatar_static": f"{server}/avatar.png",
        "header": f"{server}/header.png",
        "header_static": f"{server}/header.png",
        "followers_count": 12,
        "following_count": 3,
        "statuses_count": statuses,
        "last_status_at": None,
        "emojis": [],
        "fields": [],
    }


def make_credentials(account: dict[str, Any]) -> dict[str, Any]:
    """The account as its owner sees it."""
    source = {
        "fields": [],
        "follow_requests_count": 0,
        "indexable": True,
        "note": "",
        "privacy": "public",
        "sensitive": False,
        "language": None,
    }
    role = {"id": "-99", "name": "", "color": "", "permissions": "65536", "highlighted": False}
    return {**account, "source": source, "role": role}


def make_application(scopes: Iterable[str]) -> dict[str, Any]:
    """The application that the access token belongs to."""
    return {
        "id": "1",
        "name": "Folkmoot",
        "website": None,
        "scopes": list(scopes),
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
        "redirect_uris": ["urn:ietf:wg:oauth:2.0:oob"],
        "vapid_key": "",
    }


def make_instance(host: str, max_characters: int) -> dict[str, Any]:
    """The server and its limits."""
    types = ["image/jpeg", "image/png", "image/webp", "image/gif"]
    return {
        "domain": host,
        "title": "A simulated Mastodon server",
        "version": "4.5.0",
        "source_url": "https://example.org/",
        "description": "For practice.",
        "usage": {"users": {"active_month": 1}},
        "thumbnail": {"url": f"http://{host}/thumbnail.png"},
        "icon": [],
        "languages": ["en"],
        "configuration": {
            "urls": {"streaming": f"ws://{host}"},
            "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
            "statuses": {
                "max_characters": max_characters,
                "max_media_attachments": 4,
                "characters_reserved_per_url": 23,
            },
            "media_attachments": {
                "supported_mime_types": types,
                "image_size_limit": 16_777_216,
                "image_matrix_limit": 33_177_600,
                "video_size_limit": 103_809_024,
                "video_frame_rate_limit": 120,
                "video_matrix_limit": 8_294_400,
            },
            "polls": {
                "max_options": 4,
                "max_characters_per_option": 50,
                "min_expiration": 300,
                "max_expiration": 2_629_746,
            },
            "translation": {"enabled": False},
        },
        "registrations": {"enabled": False, "approval_required": False, "message": None},
        "api_versions": {"mastodon": 7},
        "contact": {"email": "nobody@example.org", "account": None},
        "rules": [],
    }
