"""Lists cost the database the same however long they are, though each row has a key of its own."""

from __future__ import annotations

import desk_moves as moves
import pytest
from desk_moves import timedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.records import keys


def write(cast, count):
    for number in range(count):
        due = cast.clock() + timedelta(hours=2 + number)
        text = f"Notice {number} of {cast.clock():%s}: the road is closed from gate {number} on."
        drafts.start(cast.alice, cast.content(text, due_at=due), now=cast.clock())
        moves.signed(cast, cast.content(f"Signed. {text}", due_at=due + timedelta(minutes=30)))
        cast.clock.pass_(minutes=1)


def cost(client, path):
    """Queries of a page in a process that has read no key yet."""
    keys.forget_cached()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path, follow=True).status_code == 200
    return len(asked)


@pytest.mark.parametrize(
    "path", ["/desk/drafts/", "/desk/calendar/", "/desk/drafts/new", "/desk/settings/"]
)
def test_a_page_asks_the_database_no_more_for_many_posts_than_for_few(cast, path):
    client = cast.client(cast.alice)
    write(cast, 3)
    cost(client, path)
    few = cost(client, path)
    write(cast, 15)
    assert cost(client, path) <= few + 2
