"""A body of one's own, from the command line."""

import pytest
from django.conf import settings

from folkmoot.desk.people.models import Member, Organisation
from folkmoot.desk.site.founding import found

JO = "Jo Bevan <jo@anytown.example> author,admin"
SAM = "Sam Roe <sam@anytown.example> approver"


def test_a_body_is_founded_with_its_feed_and_members_who_can_sign_in(db, client, capsys):
    argv = ["Anytown Council", "--pack", "local-authority-england", "--member", JO, "--member", SAM]
    assert found(argv, settings.CONFIG) == 0
    shown = capsys.readouterr().out
    body = Organisation.objects.get()
    assert (body.slug, body.pack) == ("anytown-council", "local-authority-england")
    assert Member.objects.find_by_email("jo@anytown.example").roles == ["author", "admin"]
    password = shown.partition("admin, author: ")[2].split()[0]
    answer = client.post("/sign-in/", {"login": "jo@anytown.example", "password": password})
    assert answer.status_code == 302
    assert client.get("/desk/").status_code == 200
    assert client.get("/feed.atom").status_code == 200


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([JO], "Nobody is approver"),
        ([JO, "Sam Roe sam@anytown.example approver"], "Write 'Sam Roe"),
        ([JO, SAM, "Al <al@anytown.example> king"], "There is no role king"),
        ([JO, SAM, "Jo Again <jo@anytown.example> author"], "already exists"),
    ],
)
def test_where_something_is_refused_nothing_is_made(db, capsys, members, sentence):
    argv = ["Anytown Council", *(part for one in members for part in ("--member", one))]
    assert found(argv, settings.CONFIG) == 2
    assert sentence in capsys.readouterr().err
    assert not Organisation.objects.exists()
    assert not Member.objects.exists()
