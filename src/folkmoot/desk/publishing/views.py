"""The channels the desk serves itself: the feed for anyone, the practice channel for staff."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import condition

from folkmoot.channels.atom import (
    FeedInfo,
    list_entries,
    list_removals,
    render_feed,
    render_rss,
    tag_uri,
)
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.people.queries import find_public_organisation, signed_in


def _feed_etag(request: HttpRequest) -> str | None:
    organisation = find_public_organisation(request.get_host())
    feed = accounts.find_feed(organisation) if organisation else None
    return accounts.find_shelf_mark(feed) if feed else None


@login_not_required
@condition(etag_func=_feed_etag)
def feed(request: HttpRequest) -> HttpResponse:
    """The organisation's Atom feed."""
    info, account = _get_feed(request, "feed")
    shelf = accounts.shelf_of(account)
    return HttpResponse(
        render_feed(info, list_entries(shelf), list_removals(shelf)),
        content_type="application/atom+xml; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@login_not_required
@condition(etag_func=_feed_etag)
def rss(request: HttpRequest) -> HttpResponse:
    """The organisation's feed for readers that take RSS alone."""
    info, account = _get_feed(request, "rss")
    return HttpResponse(
        render_rss(info, list_entries(accounts.shelf_of(account))),
        content_type="application/rss+xml; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


def _get_feed(request: HttpRequest, name: str) -> tuple[FeedInfo, accounts.Account]:
    organisation = find_public_organisation(request.get_host())
    account = accounts.find_feed(organisation) if organisation else None
    if organisation is None or account is None:
        raise Http404("There is no feed here.")
    address = settings.CONFIG.address
    info = FeedInfo(
        feed_id=tag_uri(account.handle, account.connected_at.date(), f"feed/{organisation.slug}"),
        title=organisation.name,
        feed_url=address + reverse(name),
        home_url=address + reverse("front"),
        author=organisation.name,
        started_at=account.connected_at,
        subtitle=organisation.introduction,
        language=organisation.language,
    )
    return info, account


@login_not_required
def feed_post(request: HttpRequest, key: str) -> HttpResponse:
    """One post of the feed, at the address the feed gives for it; 410 once it was taken down."""
    organisation = find_public_organisation(request.get_host())
    found = accounts.find_feed_entry(organisation, key) if organisation else None
    if found is not None:
        return render(request, "publishing/feed_post.html", {"entry": found})
    removal = accounts.find_feed_removal(organisation, key) if organisation else None
    if removal is None:
        raise Http404("There is no such post.")
    return render(request, "publishing/feed_removed.html", {"removal": removal}, status=410)


@login_not_required
def public_picture(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of a published post, and of no other."""
    organisation = find_public_organisation(request.get_host())
    found = (
        drafts.find_public_picture(organisation, name.partition(".")[0]) if organisation else None
    )
    try:
        content = drafts.open_picture(found) if found else None
    except drafts.PictureErased as erased:
        return HttpResponse(str(erased), status=410, content_type="text/plain")
    if found is None or content is None:
        raise Http404("There is no such picture.")
    # Its bytes never change, but it may be withheld or erased: a day, and not for ever.
    return HttpResponse(
        content,
        content_type=found.media_type,
        headers={"Cache-Control": "public, max-age=86400, immutable"},
    )


@login_not_required
def early_picture(_request: HttpRequest, name: str) -> HttpResponse:
    """A picture that is not published yet, for a channel that fetches it while a post is prepared.
    The name is signed by us and good for a day.
    """
    found = accounts.read_early_name(name)
    try:
        content = drafts.read_picture(*found) if found else None
    except drafts.PictureRefused:
        content = None
    if found is None or content is None:
        raise Http404("There is no such picture.")
    return HttpResponse(
        content,
        content_type=found[2],
        headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"},
    )


def practice(request: HttpRequest) -> HttpResponse:
    """What stands on the practice channel."""
    return render(
        request,
        "publishing/practice.html",
        {"entries": accounts.list_practice(signed_in(request).organisation)},
    )
