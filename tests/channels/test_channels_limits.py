"""What does not fit a channel is said in numbers, and so that it can be put right."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.channels.contract import make_picture, post
from folkmoot.channels.limits import characters, count_graphemes, find_problems, utf8_bytes
from folkmoot.channels.port import Capabilities, Part, Rendition

LIMITS = Capabilities(
    channel="bluesky",
    title="Bluesky",
    lengths=(characters(300), utf8_bytes(3000)),
    pictures=4,
    picture_bytes=1_000_000,
    picture_types=frozenset({"image/jpeg", "image/png"}),
    parts=3,
    alt=characters(100),
)
NO_THREADS = replace(LIMITS, parts=1)
NO_LIMITS = replace(LIMITS, lengths=(), alt=None)


def messages(rendition, limits=LIMITS):
    return [problem.message for problem in find_problems(limits, rendition)]


def with_picture(**changes):
    return Rendition((Part("Look:", (replace(make_picture("A square."), **changes),)),))


def test_a_post_that_is_too_long_is_told_by_how_much_and_that_it_can_be_split():
    assert messages(post("x" * 312)) == [
        (
            "This is 312 characters; Bluesky takes 300. Shorten it by 12, or split it with a line"
            " of three hyphens."
        )
    ]


def test_where_there_are_no_threads_nobody_is_told_to_split():
    assert messages(post("x" * 301), NO_THREADS) == [
        "This is 301 characters; Bluesky takes 300. Shorten it by 1."
    ]
    assert messages(post("x" * 301, "y", "z")) == [
        "This is 301 characters; Bluesky takes 300. Shorten it by 1."
    ]


def test_a_family_is_one_character_and_so_is_a_letter_with_its_accent():
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert count_graphemes(family) == 1
    assert count_graphemes("e\u0301") == 1
    assert count_graphemes("\r\n") == 1
    # 160 families are 160 characters, and 18 bytes each.
    assert messages(post(family * 160)) == []
    assert messages(post(family * 200)) == [
        (
            "This is 3,600 bytes; Bluesky takes 3,000. Emoji and letters outside English take"
            " several bytes each: use fewer, or split it with a line of three hyphens."
        )
    ]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"])))
def test_a_post_within_both_limits_has_no_problem_and_one_beyond_has(text):
    rendition = post(f"x{text}")
    fits = count_graphemes(f"x{text}") <= 300 and len(f"x{text}".encode()) <= 3000
    assert (messages(rendition) == []) is fits


def test_a_channel_without_limits_takes_a_long_text():
    assert messages(post("x" * 100_000), NO_LIMITS) == []


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_part_with_nothing_in_it_is_empty_and_a_picture_alone_is_not(text):
    assert messages(post("One.", text)) == [
        "This part is empty. Write something, or take the part away."
    ]
    assert messages(Rendition((Part(text, (make_picture("A square."),)),))) == []


def test_a_rendition_without_parts_is_nothing_to_post():
    assert messages(Rendition(())) == ["There is nothing to post. Write something."]


def test_a_thread_that_is_too_long_says_how_many_parts_fit():
    assert messages(post(*"abcd")) == [
        "This thread has 4 parts; Bluesky takes 3. Join parts, or post the rest apart."
    ]
    assert messages(post("a", "b"), NO_THREADS) == [
        "This is in 2 parts; Bluesky takes no threads. Make it one post."
    ]


@pytest.mark.parametrize("code", [0x00, 0x07, 0x0B, 0x1B, 0x7F, 0x85, 0xD83D, 0xFFFE, 0xFDD0])
def test_a_code_nobody_can_see_is_found_with_its_place(code):
    assert messages(post(f"abc{chr(code)}")) == [
        (
            f"Character 4 is a code that nobody can see (U+{code:04X}). Delete it, and type the"
            " words around it again."
        )
    ]
    [problem] = find_problems(LIMITS, with_picture(alt=f"a{chr(code)}"))
    assert problem.place == "picture"


def test_too_many_pictures():
    pictures = (make_picture("A square."),) * 5
    assert messages(Rendition((Part("", pictures),))) == [
        "There are 5 pictures here; Bluesky takes 4. Take away 1."
    ]
    assert messages(Rendition((Part("", pictures[:1]),)), replace(LIMITS, pictures=0)) == [
        "There is 1 picture here; Bluesky takes none. Take away 1."
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"size_bytes": 1_234_567},
            "This picture is 1,234,567 bytes; Bluesky takes 1,000,000. Make it smaller.",
        ),
        (
            {"media_type": "image/svg+xml"},
            (
                "This picture is image/svg+xml; Bluesky takes image/jpeg, image/png. Save it as one"
                " of those."
            ),
        ),
        (
            {"alt": " "},
            (
                "This picture has no text alternative. Say in words what it shows, for people who"
                " cannot see it."
            ),
        ),
        (
            {"alt": "x" * 103},
            (
                "This picture has a text alternative of 103 characters; Bluesky takes 100. Shorten"
                " it by 3."
            ),
        ),
        (
            {"width": 0},
            "This picture is 0 by 3 pixels and 70 bytes, which is no picture. Add it again.",
        ),
    ],
)
def test_a_picture_that_does_not_fit(changes, message):
    assert messages(with_picture(**{"size_bytes": 70, **changes})) == [message]


def test_problems_say_which_part_and_which_picture():
    two = (make_picture("A square."), make_picture(""))
    problems = find_problems(LIMITS, Rendition((Part("Fine."), Part("x" * 301, two))))
    assert [(problem.place, problem.part) for problem in problems] == [("text", 1), ("picture", 1)]
    assert problems[1].message.startswith("Picture 2 has no text alternative.")
