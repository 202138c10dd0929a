"""The feed is good Atom, says what was signed, and nothing in it can be made to run."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.channels.atom import (
    Atom,
    FeedInfo,
    list_entries,
    list_removals,
    render_feed,
    render_rss,
    tag_uri,
)
from folkmoot.channels.contract import HOSTILE_TEXTS, make_picture, post
from folkmoot.channels.entries import (
    Entry,
    EntryPart,
    find_entry,
    find_removal,
    read_entry,
    write_entry,
)
from folkmoot.channels.port import Absent, Part, Prepared, Refused, Rendition, Sent
from folkmoot.channels.shelf import FolderShelf

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
THREAD = "{http://purl.org/syndication/thread/1.0}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
ATOM = "{http://www.w3.org/2005/Atom}"
FEED = FeedInfo(
    feed_id="tag:example.gov.uk,2026-11-20:feed",
    title="Example Council",
    feed_url="https://example.gov.uk/feed.atom",
    home_url="https://example.gov.uk/",
    author="Example Council",
    started_at=AT - timedelta(days=30),
)


@pytest.fixture
def shelf(tmp_path):
    return FolderShelf(tmp_path)


@pytest.fixture
def atom(shelf):
    return Atom(
        shelf,
        authority="example.gov.uk",
        since_on=date(2026, 11, 20),
        entry_url=lambda key: f"https://example.gov.uk/posts/{key}?a=1&b=2",
        picture_url=lambda sha256, kind: f"https://example.gov.uk/{sha256}?a=1&b=2&c={kind}",
    )


def publish(atom, rendition, delivery="d", at=AT):
    prepared = atom.prepare(rendition, key=atom.make_key(delivery, at), at=at)
    assert isinstance(prepared, Prepared), prepared
    sent = atom.send(prepared)
    assert isinstance(sent, Sent)
    return sent


def entry_of(*texts):
    return Entry(
        key="20261120T090000Z-" + "a" * 24,
        entry_id="tag:example.gov.uk,2026-11-20:x",
        url="https://example.gov.uk/posts/x",
        at=AT,
        language="en",
        parts=tuple(EntryPart(text, ()) for text in texts),
    )


class Shown(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def content(document):
    [entry] = ET.fromstring(document).findall(f"{ATOM}entry")
    return Shown(entry.find(f"{ATOM}content").text or "")


def test_another_reader_reads_the_feed(atom, shelf):
    picture = make_picture("Two people at a ‘desk’ <smiling>")
    older = publish(atom, post("Yesterday."), "older", AT - timedelta(days=1))
    newer = publish(
        atom, Rendition((Part("Bore da. Mwy: https://a.org/ #Newyddion", (picture,)),), "cy")
    )
    document = render_feed(FEED, list_entries(shelf))
    read = feedparser.parse(document)
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert read.feed.id == FEED.feed_id
    assert read.feed.title == "Example Council"
    assert [entry.id for entry in read.entries] == [newer.remote_id, older.remote_id]
    first = read.entries[0]
    assert first.title == "Bore da."
    assert first.link == newer.url
    assert first.published == first.updated == "2026-11-20T09:00:00.000Z"
    assert [tag.term for tag in first.tags] == ["Newyddion"]
    [enclosure] = first.enclosures
    assert enclosure.href == f"https://example.gov.uk/{picture.sha256}?a=1&b=2&c=image/png"
    assert (enclosure.type, int(enclosure.length)) == ("image/png", picture.size_bytes)


def test_everything_atom_demands_is_there(atom, shelf):
    publish(atom, post("One."), "one")
    publish(atom, post("Two."), "two", AT + timedelta(seconds=1))
    document = render_feed(FEED, list_entries(shelf))
    assert document.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = ET.fromstring(document)
    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert len(root.findall(f"{ATOM}{name}")) == 1
    assert root.find(f"{ATOM}author/{ATOM}name").text == "Example Council"
    relations = [link.get("rel") for link in root.findall(f"{ATOM}link")]
    assert sorted(relations) == ["alternate", "self"]
    ids = [entry.find(f"{ATOM}id").text for entry in root.findall(f"{ATOM}entry")]
    assert len(set(ids)) == 2
    for entry in root.findall(f"{ATOM}entry"):
        for name in ("id", "title", "updated", "published", "content"):
            assert len(entry.findall(f"{ATOM}{name}")) == 1
        assert entry.find(f"{ATOM}content").get("type") == "html"
        assert entry.find(f"{ATOM}title").get("type") in (None, "text")
        updated = datetime.fromisoformat(entry.find(f"{ATOM}updated").text)
        assert updated.tzinfo is not None
    assert root.find(f"{ATOM}updated").text == "2026-11-20T09:00:01.000Z"


def test_an_empty_feed_is_a_feed():
    root = ET.fromstring(render_feed(FEED, ()))
    assert root.find(f"{ATOM}updated").text == "2026-10-21T09:00:00.000Z"
    assert root.findall(f"{ATOM}entry") == []


def test_the_same_entries_give_the_same_bytes(atom, shelf):
    publish(atom, post("One."))
    assert render_feed(FEED, list_entries(shelf)) == render_feed(FEED, list_entries(shelf))


@given(st.sampled_from(HOSTILE_TEXTS) | st.text())
def test_whatever_is_written_is_shown_as_text_and_only_our_elements_stand(text):
    document = render_feed(replace(FEED, title=text, author=text), [entry_of(text)])
    shown = content(document)
    assert {tag for tag, _ in shown.elements} <= {"p", "br", "a"}
    for tag, attributes in shown.elements:
        assert list(attributes) == (["href"] if tag == "a" else [])
        if tag == "a":
            assert attributes["href"].startswith("https://")


def test_markup_is_shown_letter_for_letter():
    for text in HOSTILE_TEXTS:
        shown = content(render_feed(FEED, [entry_of(text)]))
        assert " ".join(shown.text.split()) == " ".join(text.split())


def test_codes_xml_cannot_carry_do_not_break_the_feed():
    shown = content(render_feed(FEED, [entry_of("a\x00b\x1bc\ud800d\ufffe")]))
    assert shown.text == "a\ufffdb\ufffdc\ufffdd\ufffd"


def test_paragraphs_lines_and_parts_stand_apart():
    shown = content(render_feed(FEED, [entry_of("One\ntwo\n\n\nthree", "four\r\n\r\nfive")]))
    assert [tag for tag, _ in shown.elements] == ["p", "br", "p", "p", "p"]


def test_a_picture_stands_with_its_text_alternative(atom, shelf):
    alt = 'A "square" <b>&'
    publish(atom, Rendition((Part("", (make_picture(alt, width=8, height=6),)),)))
    shown = content(render_feed(FEED, list_entries(shelf)))
    [image] = [attributes for tag, attributes in shown.elements if tag == "img"]
    assert image["alt"] == alt
    assert (image["width"], image["height"]) == ("8", "6")
    assert image["src"].endswith("?a=1&b=2&c=image/png")
    root = ET.fromstring(render_feed(FEED, list_entries(shelf)))
    assert root.find(f"{ATOM}entry/{ATOM}title").text == alt


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Good morning. The rest follows.", "Good morning."),
        ("Is it open? Yes.", "Is it open?"),
        ("Version 2.0 is out. Try it.", "Version 2.0 is out."),
        ("\n\n  A heading\n\nText.", "A heading"),
        ("x" * 200, "x" * 119 + "…"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 121,
            "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 119 + "…",
        ),
    ],
)
def test_the_title_is_the_first_sentence(text, title):
    root = ET.fromstring(render_feed(FEED, [entry_of(text)]))
    assert root.find(f"{ATOM}entry/{ATOM}title").text == title


def take_down(atom, sent, at, reason="It named the wrong street."):
    key = atom.make_key("removal", at)
    removal = atom.prepare_removal(sent, key=key, at=at, reason=reason)
    removed = atom.send(removal)
    assert isinstance(removed, Sent)
    return removed


class TestWhatWasTakenDown:
    def test_a_tombstone_stands_in_the_feed_in_place_of_the_entry(self, atom, shelf):
        publish(atom, post("Stays."), "a")
        sent = publish(atom, post("Goes."), "b", AT + timedelta(minutes=1))
        records = {one.key: one.record for one in shelf.list_newest(9)}
        take_down(atom, sent, AT + timedelta(minutes=5), "Wrong <street> & \x07 date.")
        document = render_feed(FEED, list_entries(shelf), list_removals(shelf))
        read = feedparser.parse(document)
        assert not read.bozo, read.get("bozo_exception")
        assert [entry.title for entry in read.entries] == ["Stays."]
        root = ET.fromstring(document)
        [tombstone] = root.findall(f"{TOMBSTONES}deleted-entry")
        assert tombstone.attrib == {"ref": sent.remote_id, "when": "2026-11-20T09:05:00.000Z"}
        assert tombstone.find(f"{TOMBSTONES}comment").text == "Wrong <street> & \ufffd date."
        assert root.find(f"{ATOM}updated").text == "2026-11-20T09:05:00.000Z"
        assert all(shelf.find(key).record == record for key, record in records.items())

    def test_what_was_taken_down_does_not_come_back(self, atom, shelf):
        prepared = atom.prepare(post("Goes."), key=atom.make_key("d", AT), at=AT)
        take_down(atom, atom.send(prepared), AT + timedelta(minutes=5))
        assert atom.look_up(prepared) == Absent()
        assert isinstance(atom.send(prepared), Refused)
        assert list_entries(shelf) == ()

    def test_two_removals_of_one_entry_are_one(self, atom, shelf):
        sent = publish(atom, post("Goes."))
        first = take_down(atom, sent, AT + timedelta(minutes=5), "First.")
        assert take_down(atom, sent, AT + timedelta(minutes=9), "Second.") == first
        assert [removal.reason for removal in list_removals(shelf)] == ["First."]
        key = sent.remote_id.rpartition(":")[2]
        assert find_removal(shelf, key).reason == "First."
        assert find_entry(shelf, key) is None

    def test_a_removal_is_found_though_its_clock_was_behind(self, atom, shelf):
        sent = publish(atom, post("Goes."))
        publish(atom, post("Stays."), "newer", AT + timedelta(minutes=1))
        take_down(atom, sent, AT - timedelta(days=1))
        for limit in (1, 2, 50):
            assert [e.parts[0].text for e in list_entries(shelf, limit)] == ["Stays."]

    def test_many_removals_do_not_empty_the_feed(self, atom, shelf):
        sent = [
            publish(atom, post(f"Post {n}."), f"d{n}", AT + timedelta(minutes=n)) for n in range(9)
        ]
        for one in sent[2:]:
            take_down(atom, one, AT + timedelta(days=1))
        assert [entry.parts[0].text for entry in list_entries(shelf, 2)] == ["Post 1.", "Post 0."]


class TestAnswers:
    def test_an_answer_names_what_it_answers_and_links_to_it(self, atom, shelf):
        wrong = publish(atom, post("Closed on Monday."), "wrong", AT - timedelta(hours=1))
        publish(atom, replace(post("Closed on Tuesday."), replying_to=wrong.remote_id))
        document = render_feed(FEED, list_entries(shelf))
        assert not feedparser.parse(document).bozo
        first, second = ET.fromstring(document).findall(f"{ATOM}entry")
        [answered] = first.findall(f"{THREAD}in-reply-to")
        assert answered.attrib == {"ref": wrong.remote_id, "href": wrong.url, "type": "text/html"}
        [related] = [one for one in first.findall(f"{ATOM}link") if one.get("rel") == "related"]
        assert related.get("href") == wrong.url
        assert second.findall(f"{THREAD}in-reply-to") == []
        item = feedparser.parse(render_rss(FEED, list_entries(shelf))).entries[0]
        assert ("a", {"href": wrong.url}) in Shown(item.summary).elements

    def test_what_is_not_ours_is_named_and_not_linked(self, atom, shelf):
        publish(atom, replace(post("As they said."), replying_to="tag:example.org,2026:theirs"))
        [entry] = ET.fromstring(render_feed(FEED, list_entries(shelf))).findall(f"{ATOM}entry")
        assert entry.find(f"{THREAD}in-reply-to").attrib == {"ref": "tag:example.org,2026:theirs"}

    def test_a_record_from_before_there_were_answers_is_read_and_written_as_it_was(self):
        old = (
            b'{"at":"2026-11-20T09:00:00+00:00","entry_id":"tag:x,2026-01-01:k","key":"k",'
            b'"language":"en","parts":[{"pictures":[],"text":"Old."}],"url":"https://x.test/k"}'
        )
        entry = read_entry(old)
        assert entry.replying_to == ""
        assert write_entry(entry) == old


class TestRss:
    def test_another_reader_reads_it(self, atom, shelf):
        picture = make_picture("A desk")
        older = publish(atom, post("Yesterday."), "older", AT - timedelta(days=1))
        newer = publish(
            atom, Rendition((Part("Bore da. https://a.org/ #Newyddion", (picture,)),), "cy")
        )
        document = render_rss(
            replace(FEED, feed_url="https://example.gov.uk/feed.rss"), list_entries(shelf)
        )
        read = feedparser.parse(document)
        assert not read.bozo, read.get("bozo_exception")
        assert read.version == "rss20"
        assert [entry.id for entry in read.entries] == [newer.remote_id, older.remote_id]
        first = read.entries[0]
        assert first.guidislink is False
        assert (first.title, first.link) == ("Bore da.", newer.url)
        assert first.published == "Fri, 20 Nov 2026 09:00:00 GMT"
        assert [tag.term for tag in first.tags] == ["Newyddion"]
        [enclosure] = first.enclosures
        assert (enclosure.type, int(enclosure.length)) == ("image/png", picture.size_bytes)
        channel = ET.fromstring(document).find("channel")
        for name in ("title", "link", "description", "language", "lastBuildDate"):
            assert channel.findtext(name)
        assert channel.find(f"{ATOM}link").attrib == {
            "rel": "self",
            "href": "https://example.gov.uk/feed.rss",
            "type": "application/rss+xml",
        }

    def test_what_was_taken_down_is_left_out(self, atom, shelf):
        take_down(atom, publish(atom, post("Goes.")), AT + timedelta(minutes=5))
        assert feedparser.parse(render_rss(FEED, list_entries(shelf))).entries == []

    def test_hostile_text_is_shown_and_never_obeyed(self):
        for text in [*HOSTILE_TEXTS, "a\x00b\ud800"]:
            document = render_rss(replace(FEED, title=text, author=text), [entry_of(text)])
            [item] = ET.fromstring(document).findall("channel/item")
            shown = Shown(item.findtext("description"))
            assert {tag for tag, _ in shown.elements} <= {"p", "br", "a"}
            assert " ".join(shown.text.split()) == " ".join(
                text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd").split()
            )

    def test_a_time_without_a_zone_is_an_error(self):
        with pytest.raises(ValueError, match="no time zone"):
            render_rss(replace(FEED, started_at=datetime(2026, 1, 1)), ())  # noqa: DTZ001


def test_an_id_does_not_change_with_the_address_of_the_site(shelf):
    def at(site):
        return Atom(
            shelf,
            authority="example.gov.uk",
            since_on=date(2026, 11, 20),
            entry_url=lambda key: f"{site}/{key}",
            picture_url=lambda sha256, media_type: f"{site}/{sha256}/{media_type}",
        )

    old, new = at("https://old.example"), at("https://new.example")
    assert publish(old, post("One."), "a").remote_id.endswith(old.make_key("a", AT))
    prepared = new.prepare(post("One."), key=new.make_key("b", AT), at=AT)
    assert new.send(prepared).remote_id == tag_uri(
        "example.gov.uk", date(2026, 11, 20), new.make_key("b", AT)
    )


@pytest.mark.parametrize("authority", ["", "Example.gov.uk", "a b", "a,b", "é.uk"])
def test_an_authority_that_is_no_domain_is_an_error(shelf, authority):
    with pytest.raises(ValueError, match="not a domain"):
        Atom(shelf, authority=authority, since_on=date(2026, 1, 1), entry_url=str, picture_url=str)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/posts/1", "https://a b", ""])
def test_an_address_that_is_not_of_the_web_is_an_error(shelf, address):
    atom = Atom(
        shelf,
        authority="example.gov.uk",
        since_on=date(2026, 1, 1),
        entry_url=lambda key: address,
        picture_url=str,
    )
    with pytest.raises(ValueError, match="not a web address"):
        atom.prepare(post("x"), key=atom.make_key("d", AT), at=AT)
