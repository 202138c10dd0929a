"""A page's posts at LinkedIn, read, and the headers every request carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from folkmoot.channels.api import Answer, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.linkedin.posts import NotAPost, Post, find_number, read_post
from folkmoot.channels.oauth import SignedIn

_PAGE = 100
_MOST_PAGES = 5


class Pages:
    """Asks in the name of one page. Every method raises :class:`SaidNo`, :class:`NoClearAnswer` and
    :class:`CannotSignIn`.
    """

    def __init__(self, signed: SignedIn, server: str, organisation: str, version: str) -> None:
        self.server = server
        self.author = f"urn:li:organization:{organisation}"
        self._signed = signed
        self._headers = {"LinkedIn-Version": version, "X-Restli-Protocol-Version": "2.0.0"}

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **what: Any
    ) -> Answer:
        """Ask LinkedIn's API."""
        carried = {**self._headers, **(headers or {})}
        return self._signed.ask(method, f"{self.server}{path}", headers=carried, **what)

    def ask_at(self, method: str, url: str, **what: Any) -> Answer:
        """Ask at an address of LinkedIn's that it named itself."""
        return self._signed.ask(method, url, **what)

    def list_newest(self, limit: int) -> list[Post]:
        """At most ``limit`` posts, and no more than a hundred, newest first."""
        return self._list(min(limit, _PAGE), 0)[0]

    def list_since(self, newest: int) -> list[Post]:
        """All posts after the one of this number, newest first."""
        found: list[Post] = []
        for page in range(_MOST_PAGES):
            posts, is_last = self._list(_PAGE, page * _PAGE)
            fresh = [post for post in posts if (find_number(post.urn) or 0) > newest]
            found += fresh
            if is_last or len(fresh) < len(posts):
                return found
        raise NoClearAnswer(
            "There are more new posts on LinkedIn than can be looked through. Look for this one"
            " there.",
            sent=True,
        )

    def find(self, urn: str) -> Post | None:
        """The post of this URN, or ``None`` where LinkedIn says that it is not there."""
        try:
            answer = self.ask(
                "GET", f"/rest/posts/{quote(urn, safe='')}", params={"viewContext": "AUTHOR"}
            )
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return None
            raise
        try:
            return read_post(answer.value)
        except NotAPost as fault:
            raise _strange() from fault

    def _list(self, count: int, start: int) -> tuple[list[Post], bool]:
        """A page of posts, newest first, and whether it is the last."""
        answer = self.ask(
            "GET",
            "/rest/posts",
            params={
                "author": self.author,
                "q": "author",
                "count": str(count),
                "start": str(start),
                "sortBy": "CREATED",
            },
            headers={"X-RestLi-Method": "FINDER"},
        )
        elements = answer.value.get("elements") if isinstance(answer.value, dict) else None
        if not isinstance(elements, list):
            raise _strange()
        try:
            posts = [read_post(one) for one in elements]
        except NotAPost as fault:
            raise _strange() from fault
        return [post for post in posts if post is not None], len(elements) < count


def _strange() -> NoClearAnswer:
    return NoClearAnswer("LinkedIn's answer could not be understood. It is asked again.", sent=True)
