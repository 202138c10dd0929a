"""House rules in three lengths, made of the pack and the organisation's own profile."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest
from guidance_small_pack import Writer

from folkmoot.guidance import (
    Day,
    HouseRulesError,
    PackError,
    Profile,
    ProfileError,
    house_rules_lines,
    load_house_rules,
    load_pack,
    make_house_rules,
    read_profile,
)
from folkmoot.guidance.house_rules import Text, format_hours
from folkmoot.guidance.house_rules_file import FILE_KEYS, PLACEHOLDERS, REQUIRED_SECTIONS, DayWords

DOCS = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")

SECTIONS = "".join(
    f"""
[[section]]
id = "{name}"
title = "About {name}"
text = "{text}"
{f'list = "{name}"' if "remove" in name or name == "kept" else ""}
"""
    for name, text in {
        "hours": "{organisation} reads {channels} {hours} ({zone}). We answer {promise}.",
        "removed": "Only for these reasons.",
        "never_removed": "Whatever happens.",
        "kept": "So that an appeal can be answered.",
        "emergencies": "In an emergency, {emergency}.",
        "appeal": "Appeal at {appeal}. Blocks are looked at again every {review_months} months.",
    }.items()
)

RULES = (
    """
languages = ["en", "cy"]

[short]
profile = ["We read this {hours} and answer {promise}. {rules}", "We answer {promise}."]
pinned = ["We are here {hours}. We never remove criticism. In an emergency, {emergency}."]

[short.cy]
pinned = ["Rydyn ni yma {hours}. Mewn argyfwng, {emergency}."]

[words]
days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
to = "to"
and = "and"

[words.cy]
days = ["Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"]
to = "i"
and = "a"
"""
    + SECTIONS
    + """
[[removed]]
id = "abuse"
title = "Abuse"
sentence = "We remove abuse."
why = "Everyone must be able to ask."
clauses = ["RULED-1"]
examples = ["Calling names."]
[removed.cy]
title = "Cam-drin"
sentence = "Rydyn ni’n dileu cam-drin."

[[never_removed]]
id = "criticism"
title = "Criticism"
sentence = "We never remove criticism."
why = "You may disagree with us."
clauses = ["RULED-1"]

[[kept]]
id = "copy"
title = "A copy"
sentence = "We keep a copy."
why = "You may appeal."
"""
)

PROFILE = Profile(
    organisation="Anytown Council",
    days=(Day.MONDAY, Day.TUESDAY, Day.WEDNESDAY, Day.THURSDAY, Day.FRIDAY),
    hours="09:00-17:30",
    response_promise={"en": "within two working days", "cy": "o fewn dau ddiwrnod gwaith"},
    channels=("Bluesky", "Mastodon"),
    appeal_route="https://anytown.example/appeal",
    emergency_route={"en": "call 999", "cy": "ffoniwch 999"},
    block_review_months=6,
)


@pytest.fixture
def ruled(write_pack: Writer) -> Path:
    folder = write_pack("ruled")
    (folder / "house_rules.toml").write_text(RULES, encoding="utf-8")
    return folder


def test_one_profile_gives_three_lengths(ruled: Path):
    rules = make_house_rules(load_pack(ruled), PROFILE)
    assert rules.pinned.value == (
        "We are here Monday to Friday, 9am to 5:30pm. We never remove criticism. "
        "In an emergency, call 999."
    )
    assert rules.profile.value == "We answer within two working days."
    assert [section.id for section in rules.page] == list(REQUIRED_SECTIONS)
    assert rules.page[0].text.value == (
        "Anytown Council reads Bluesky and Mastodon Monday to Friday, 9am to 5:30pm "
        "(Europe/London). We answer within two working days."
    )
    assert [rule.title.value for rule in rules.page[1].rules] == ["Abuse"]
    assert "every 6 months" in rules.page[5].text.value
    assert rules.fallbacks == ()
    assert rules.pack == load_pack(ruled).reference


def test_the_first_wording_that_fits_is_used(ruled: Path):
    profile = replace(PROFILE, rules_address="https://anytown.example/rules")
    rules = make_house_rules(load_pack(ruled), profile)
    assert rules.profile.value.endswith("https://anytown.example/rules")
    long = replace(profile, rules_address="https://anytown.example/" + "r" * 80)
    assert make_house_rules(load_pack(ruled), long).profile.value == (
        "We answer within two working days."
    )


def test_when_nothing_fits_the_sentence_says_what_is_long(ruled: Path):
    with pytest.raises(
        HouseRulesError,
        match=r"The shortest wording of the profile has 211 characters, and 160 fit\. "
        r"Say less in the organisation’s profile: promise \(200 characters\)\.",
    ):
        make_house_rules(load_pack(ruled), replace(PROFILE, response_promise="x" * 200))


def test_another_language_is_used_as_far_as_it_goes_and_the_rest_is_marked(ruled: Path):
    rules = make_house_rules(load_pack(ruled), replace(PROFILE, language="cy"))
    assert (
        rules.pinned.value
        == "Rydyn ni yma Llun i Gwener, 9am i 5:30pm. Mewn argyfwng, ffoniwch 999."
    )
    assert not rules.pinned.is_fallback
    # A text that falls back is in one language throughout.
    assert rules.profile.value == "We answer within two working days."
    assert (rules.profile.language, rules.profile.is_fallback) == ("en", True)
    abuse = rules.page[1].rules[0]
    assert (abuse.title.value, abuse.title.is_fallback) == ("Cam-drin", False)
    assert (abuse.why.value, abuse.why.is_fallback) == ("Everyone must be able to ask.", True)
    assert "removed/abuse/why" in rules.fallbacks
    assert "removed/abuse/title" not in rules.fallbacks
    lines = list(house_rules_lines(rules))
    assert "- Cam-drin: Rydyn ni’n dileu cam-drin. [en] Everyone must be able to ask." in lines


def test_what_the_organisation_says_in_one_language_only_is_marked_too(ruled: Path):
    profile = replace(PROFILE, language="cy", emergency_route={"en": "call 999"})
    pinned = make_house_rules(load_pack(ruled), profile).pinned
    assert pinned.value.endswith("Mewn argyfwng, call 999.")
    assert (pinned.language, pinned.is_fallback) == ("en", True)


def test_a_language_the_pack_does_not_have_falls_back_whole(ruled: Path):
    rules = make_house_rules(load_pack(ruled), replace(PROFILE, language="ga"))
    assert rules.pinned.is_fallback
    assert rules.page[0].text.language == "en"
    assert len(rules.fallbacks) == 2 + 2 * 6 + 3 * 3 + 1


def test_words_in_braces_in_a_profile_stay_as_they_are(ruled: Path):
    profile = replace(PROFILE, organisation="The {rules} Office")
    text = make_house_rules(load_pack(ruled), profile).page[0].text.value
    assert text.startswith("The {rules} Office reads")


def test_the_lines_of_each_length(ruled: Path):
    rules = make_house_rules(load_pack(ruled), PROFILE)
    assert list(house_rules_lines(rules, "profile")) == [rules.profile.value]
    assert list(house_rules_lines(rules, "pinned")) == [rules.pinned.value]
    page = "\n".join(house_rules_lines(rules))
    assert "- Abuse: We remove abuse. Everyone must be able to ask.\n  - Calling names." in page
    with pytest.raises(ValueError, match="no length of house rules"):
        list(house_rules_lines(rules, "poem"))


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ("mon tue wed thu fri", "Monday to Friday"),
        ("sun sat", "Saturday and Sunday"),
        ("mon", "Monday"),
        ("mon wed fri", "Monday, Wednesday and Friday"),
        ("mon tue wed fri", "Monday to Wednesday and Friday"),
        ("mon tue wed thu fri sat sun", "Monday to Sunday"),
        ("fri mon mon", "Monday and Friday"),
    ],
)
def test_days_are_written_as_people_write_them(days: str, told: str):
    words = DayWords(tuple(day.value.capitalize() for day in Day), "to", "and")
    chosen = [day for short in days.split() for day in Day if day.startswith(short)]
    assert format_hours(chosen, time(8, 30), time(12), words) == f"{told}, 8:30am to 12pm"


# Inheritance


@pytest.fixture
def child(write_pack: Writer, ruled: Path) -> Path:
    return write_pack(
        "child", pack=f'extends = [{{ pack = "{ruled.name}", version = "2026.11" }}]\n'
    )


def say(folder: Path, text: str) -> Path:
    file = folder / "house_rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


STATEMENT = 'title = "T"\nsentence = "S."\nwhy = "W."\nclauses = ["CHILD-1"]\n'


def test_a_pack_has_its_parents_house_rules(child: Path, ruled: Path):
    assert load_house_rules(load_pack(child)) == load_house_rules(load_pack(ruled))


def test_a_pack_adds_reasons_and_replaces_those_of_the_same_id(child: Path):
    say(child, f'[[removed]]\nid = "crime"\n{STATEMENT}[[removed]]\nid = "abuse"\n{STATEMENT}')
    removed = load_house_rules(load_pack(child)).removed
    assert [(each.id, each.pack) for each in removed] == [("abuse", "child"), ("crime", "child")]


def test_a_pack_may_fall_back_on_another_language_than_its_parents(child: Path):
    text = 'languages = ["cy", "en"]\n[short]\nprofile = ["Rydyn ni’n ateb {promise}."]\n'
    say(child, text)
    rules = make_house_rules(load_pack(child), replace(PROFILE, language="cy"))
    assert rules.profile == Text(
        "Rydyn ni’n ateb o fewn dau ddiwrnod gwaith.", "cy", is_fallback=False
    )
    assert rules.page[0].title == Text("About hours", "en", is_fallback=True)


def test_what_is_never_removed_may_be_added_to_and_never_replaced(child: Path):
    say(child, f'[[never_removed]]\nid = "questions"\n{STATEMENT}')
    never = load_house_rules(load_pack(child)).never_removed
    assert [each.id for each in never] == ["criticism", "questions"]
    file = say(child, f'[[never_removed]]\nid = "criticism"\n{STATEMENT}')
    with pytest.raises(PackError, match="may be added to, and never replaced") as caught:
        load_house_rules(load_pack(child))
    assert (caught.value.file, caught.value.key) == (file, "never_removed[1].id")


def test_two_parents_that_say_different_things_are_refused_naming_both_files(
    write_pack: Writer, ruled: Path
):
    parent = f'extends = [{{ pack = "{ruled.name}", version = "2026.11" }}]\n'
    for name in ("mother", "father"):
        folder = write_pack(name, pack=parent)
        text = f'[[removed]]\nid = "crime"\n{STATEMENT}'.replace("CHILD-1", "RULED-1")
        say(folder, text)
    both = ", ".join(f'{{ pack = "{name}", version = "2026.11" }}' for name in ("mother", "father"))
    pack = load_pack(write_pack("child", pack=f"extends = [{both}]\n"))
    with pytest.raises(PackError, match="neither pack extends the other") as caught:
        load_house_rules(pack)
    assert caught.value.file.parent.name == "father"
    assert "mother" in caught.value.wrong


# What is refused


def test_a_pack_without_house_rules_says_so(write_pack: Writer):
    with pytest.raises(HouseRulesError, match="Neither the pack small nor one it rests on has"):
        make_house_rules(load_pack(write_pack()), PROFILE)


def test_everything_that_is_missing_is_named_at_once(ruled: Path):
    say(ruled, 'languages = ["en"]\n')
    with pytest.raises(HouseRulesError) as caught:
        load_house_rules(load_pack(ruled))
    told = str(caught.value)
    for part in ("short.profile", "short.pinned", "words", *REQUIRED_SECTIONS, "[[kept]]"):
        assert part in told
    assert "'criticism' among [[never_removed]]" in told


@pytest.mark.parametrize(
    ("old", "new", "key", "wrong"),
    [
        ('languages = ["en", "cy"]', "", "languages", "Name one language at least"),
        ('["en", "cy"]', '["English"]', "languages", "'English' is no language tag"),
        ('We answer {promise}."]', '{promis}"]', "short.profile", "Did you mean 'promise'?"),
        ("So that an appeal", "So {that", "section[4].text", "'{' stands for nothing."),
        ('"Monday", ', "", "words.days", "Name the seven days"),
        ('list = "kept"', 'list = "keep"', "section[4].list", "Did you mean 'kept'?"),
        ("[removed.cy]", "[removed.ga]", "removed[1].ga", "There is no such key."),
        ('id = "abuse"', 'id = "Abuse!"', "removed[1].id", "'Abuse!' is no id."),
        ('why = "You may appeal."', "", "kept[1].why", "This key is missing"),
        ('clauses = ["RULED-1"]\nexamples', "examples", "removed[1].clauses", "one at least"),
        ('["RULED-1"]\nexamples', '["RULED-2"]\nexamples', "removed[1].clauses", "Did you mean"),
        ("[short]", "[shrt]", "shrt", "Did you mean 'short'?"),
    ],
)
def test_a_bad_house_rules_file_is_refused(ruled: Path, old: str, new: str, key: str, wrong: str):
    assert old in RULES
    file = say(ruled, RULES.replace(old, new, 1))
    with pytest.raises(PackError) as caught:
        load_house_rules(load_pack(ruled))
    assert (caught.value.file, caught.value.key) == (file, key)
    assert wrong in caught.value.wrong


def test_a_reason_that_stands_there_twice_is_refused(ruled: Path):
    say(ruled, RULES + '[[kept]]\nid = "copy"\n')
    with pytest.raises(PackError, match="There are two 'copy' in this list"):
        load_house_rules(load_pack(ruled))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"appeal_route": "", "emergency_route": " "}, "lacks appeal_route and emergency_route."),
        ({"channels": ()}, "lacks channels."),
        ({"days": ()}, "lacks days."),
        ({"organisation": {}}, "lacks organisation."),
        ({"hours": "9-5"}, "hours are '9-5'. Write them as 09:00-17:00."),
        ({"hours": "17:00-09:00"}, "end before they begin"),
        ({"block_review_months": 0}, "must be 1 or more"),
        ({"zone": "Europe/Anytown"}, "There is no time zone 'Europe/Anytown'."),
        ({"zone": "../etc/passwd"}, "There is no time zone"),
        ({"response_promise": {"ga": "x"}}, "neither in en"),
    ],
)
def test_a_profile_that_lacks_something_is_refused(
    ruled: Path, change: dict[str, object], wrong: str
):
    with pytest.raises(ProfileError) as caught:
        make_house_rules(load_pack(ruled), replace(PROFILE, **change))
    assert wrong in str(caught.value)


def test_the_page_needs_its_address_where_it_prints_it(ruled: Path):
    say(ruled, RULES.replace("Whatever happens.", "See {rules}."))
    with pytest.raises(ProfileError, match="lacks what the page says of rules"):
        make_house_rules(load_pack(ruled), PROFILE)


# The profile's file, and what docs/packs.md says


def profile_told() -> str:
    return re.findall(r"```toml\n(organisation = .*?)```", DOCS, re.DOTALL)[0]


def test_the_profile_in_the_documentation_can_be_read(tmp_path: Path):
    file = tmp_path / "profile.toml"
    file.write_text(profile_told(), encoding="utf-8")
    profile = read_profile(file)
    assert profile.organisation == "Anytown Council"
    assert profile.days == PROFILE.days
    assert profile.block_review_months == 12
    told = 'response_promise = { en = "soon", cy = "cyn hir" }'
    lines = [line for line in profile_told().splitlines() if "response_promise" not in line]
    file.write_text("\n".join([*lines, told]), encoding="utf-8")
    assert read_profile(file).response_promise == {"en": "soon", "cy": "cyn hir"}


def test_a_profile_file_names_everything_it_lacks(tmp_path: Path):
    file = tmp_path / "profile.toml"
    file.write_text('organisation = "Us"\nhours = "09:00-17:00"\ndays = ["monday"]\n', "utf-8")
    with pytest.raises(ProfileError) as caught:
        read_profile(file)
    assert str(caught.value) == (
        f"{file}: The profile lacks response_promise, channels, appeal_route, emergency_route and "
        "block_review_months."
    )


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("hours =", "hour =", "Did you mean 'hours'?"),
        ('"monday"', '"Monday"', "Did you mean 'monday'?"),
        ("= 12", '= "12"', "This must be a whole number"),
        ('zone = "Europe/London"', "zone = 1", "This must be text"),
    ],
)
def test_a_bad_profile_file_is_refused(tmp_path: Path, old: str, new: str, wrong: str):
    file = tmp_path / "profile.toml"
    file.write_text(profile_told().replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackError) as caught:
        read_profile(file)
    assert wrong in caught.value.wrong


def test_the_documentation_names_the_keys_sections_and_words():
    part = DOCS.partition("\n## House rules\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    assert tuple(rows) == FILE_KEYS
    for name in (*REQUIRED_SECTIONS, *PLACEHOLDERS):
        assert f"`{name}`" in part or f"`{{{name}}}`" in part
