"""The texts around a bag: about.json, bag-info.txt, the policy, and the README."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .files import Files
from .keys import LOG, MAX_SMALL, Key, Wrong, parse_key
from .page import mark, say_time
from .proving import read_canonical

FORMAT = 1
"""The form of bag this writes and reads. A change of any text below is another form."""
BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
OWN_LABELS = ("Bag-Software-Agent", "Bagging-Date", "External-Description", "Payload-Oxum")

_INFO_LABEL = re.compile(r"[A-Z][A-Za-z0-9]{0,30}(?:-[A-Za-z0-9]{1,30}){0,5}")
_MADE_AT = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII
)


def check_about(about: Any) -> dict[str, Any]:
    """``about`` itself, if it is what ``data/about.json`` may hold."""
    if not isinstance(about, dict) or set(about) != {"about", "format", "info", "made_at", "title"}:
        raise Wrong("data/about.json does not have exactly the keys it must have.")
    if type(about["format"]) is not int or about["format"] != FORMAT:
        raise Wrong("The bag is of a form that this program does not know; get a newer one.")
    title, text, info = about["title"], about["about"], about["info"]
    if not isinstance(title, str) or not title.strip() or re.search(r"[\x00-\x1f\x7f]", title):
        raise Wrong("The title of the bag must be one line of text.")
    if not isinstance(text, str) or not isinstance(info, dict):
        raise Wrong("What the bag says about itself must be text, and its info lines by label.")
    if not isinstance(about["made_at"], str) or not _MADE_AT.fullmatch(about["made_at"]):
        raise Wrong("The time at which the bag was made is not in its form.")
    for label, value in info.items():
        if not _INFO_LABEL.fullmatch(label) or label in OWN_LABELS:
            raise Wrong(f"{label!r} cannot be a label of bag-info.txt, or is one of ours.")
        if (
            not isinstance(value, str)
            or value != value.strip()
            or not value
            or re.search(r"[\x00-\x1f\x7f]", value)
        ):
            raise Wrong(f"The {label} of bag-info.txt must be one line of text.")
    return about


def read_about(files: Files) -> dict[str, Any]:
    """What ``data/about.json`` holds."""
    return check_about(read_canonical(files.read("data/about.json", MAX_SMALL)))


def render_info(about: dict[str, Any], payload_bytes: int, payload_files: int) -> str:
    """``bag-info.txt`` (RFC 8493 section 2.2.2)."""
    lines = {
        **about["info"],
        "Bag-Software-Agent": f"folkmoot, form {FORMAT}",
        "Bagging-Date": about["made_at"][:10],
        "External-Description": about["title"],
        "Payload-Oxum": f"{payload_bytes}.{payload_files}",
    }
    return "".join(f"{label}: {mark(value)}\n" for label, value in sorted(lines.items()))


def render_policy(keys: Iterable[Key]) -> str:
    """``data/policy``: the keys that signed the checkpoint (C2SP tlog-policy)."""
    log = "".join(f"log {key.text}\n" for key in keys if key.kind == LOG)
    witnesses = "".join(f"witness {key.name} {key.text}\n" for key in keys if key.kind != LOG)
    return (
        "# The public keys that signed data/checkpoint, in the form of c2sp.org/tlog-policy.\n"
        "# Hold them against those that the log and its witnesses publish: whoever makes up a\n"
        f"# bag makes up its keys.\n{log}{witnesses}quorum none\n"
    )


def read_policy(files: Files) -> tuple[Key, ...]:
    """The keys in ``data/policy``: one log's, and any of witnesses."""
    text = files.read("data/policy", MAX_SMALL).decode("utf-8", "replace")
    keys = []
    for line in text.split("\n"):
        word, _, rest = line.partition(" ")
        if word in ("log", "witness"):
            keys.append(parse_key(rest.rpartition(" ")[2]))
    if text != render_policy(keys) or len({key.public for key in keys}) != len(keys):
        raise Wrong("data/policy is not in its form; it was changed.")
    if sum(key.kind == LOG for key in keys) != 1:
        raise Wrong("data/policy must name the key of exactly one log.")
    return tuple(keys)


def render_readme(about: dict[str, Any]) -> str:
    """``README.txt``: what this is, how to check it, and what a proof does not show."""
    return _README.format(
        title=mark(about["title"]), rule="=" * 72, made=say_time(about["made_at"])
    )


_README = """{title}
{rule}

Made on {made}.

WHAT THIS IS

A "bag" of entries from a public body's record of what it said and decided. Each
entry was put into an append-only log when the thing was done. The log's head was
signed, so nobody, the body included, can change an entry afterwards unnoticed.

To read it, open data/index.html in a browser. It loads nothing from the internet.

  data/index.html       everything that is released, to read
  data/records.csv      the same for a spreadsheet
  data/records.jsonl    the same for programs: ActivityStreams 2.0, the exact text
  data/redactions.csv   what is withheld, and under which exemption
  data/media            pictures and files, listed in data/media.jsonl
  data/warc             the channels' own answers, as web archives keep them
  data/proofs           a proof for each entry (c2sp.org/tlog-proof)
  data/checkpoint       the signed head of the log that all proofs lead to
  data/policy           the public keys that signed it
  verify.py             checks all of this

HOW TO CHECK IT

You need Python 3.9 or later and nothing else. No network is used. In this folder:

    python3 verify.py

It prints "true" or "false" and says why. To know that the record is that body's
own, get the public key of its log from the body's website, not from this bag, and
give it:

    python3 verify.py --key 'NAME+ID+KEY'

Do not trust verify.py because it came with the bag: whoever can change a bag can
change its verify.py too. Where it matters, take a copy from somebody you trust, or
from another bag, and run that: python3 my-copy.py THIS_FOLDER

The program also prints the bag's seal, one number that stands for every file in
it. The body records that number when it releases a bag.

WHAT "WITHHELD" MEANS

A field of an entry can be kept back under an exemption. Then the field's name and
the exemption are here, and its text is not. The entry holds a sealed hash of the
text, made with a secret random number, so the text cannot be guessed from it. If
the text is released one day, anyone can check that it is the text of that time.

WHAT A PROOF DOES NOT SHOW

* That what an entry says is true; only that it was recorded then and is unchanged.
* That these are all the entries there are. The log has more; the numbers of the
  entries show where some lie between.
* Who a person is. Entries name people and things by codes. The words beside the
  codes, the exemptions, the reasons, and the introduction on the page are the
  body's own, added when the bag was made.
* That a picture is the one that was posted, unless the page says that an entry
  names its hash. Nor that the answers in data/warc are what a channel sent.
* That nobody was shown another history, unless a witness you know has signed too.

THE SPREADSHEET

Spreadsheets run a cell that begins with =, +, - or @ as a formula. In the CSV files
an apostrophe stands before whatever could be taken for one: at the start of a cell
and after a semicolon, a tab or a line's end within it. Take away one apostrophe in
each of those places to have the text again. Control characters are shown as their
pictures. data/records.jsonl holds the exact text.
"""
