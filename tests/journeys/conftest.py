"""A desk started as its user starts it, a browser, and the people of the practice body."""

import shutil
from pathlib import Path

import pytest
from desk_people import Person, paint_picture, running_browser
from page_watch import PageWatch
from running_desk import RunningDesk

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items):
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    if shutil.which("chromium") is None:
        for item in here:
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed."))


@pytest.fixture(scope="session")
def browser():
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core, to be evaluated in a page: our policy lets no script in otherwise."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci` in the repository's root.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk of the module's own, empty at first."""
    desk = RunningDesk(tmp_path_factory.mktemp("desk"))
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()
    said = desk.said()
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def photograph(tmp_path_factory):
    return paint_picture(tmp_path_factory.mktemp("pictures") / "barrier.jpg")


@pytest.fixture
def somebody(browser, desk):
    """Opens a browser for one more person; closes them all, and fails for what they met."""
    people = []

    def open_browser(**options):
        person = Person(browser, desk, **options)
        people.append(person)
        return person

    yield open_browser
    for person in people:
        person.close()


@pytest.fixture
def author(somebody):
    return somebody().sign_in("author")


@pytest.fixture
def approver(somebody):
    return somebody().sign_in("approver")


@pytest.fixture
def duty(somebody):
    """The duty officer, who is admin and approver too: a second person for what needs two."""
    return somebody().sign_in("duty")


@pytest.fixture
def officer(somebody):
    """The records officer; the approver is one too, for what needs two."""
    return somebody(accept_downloads=True).sign_in("records")


@pytest.fixture
def anyone(somebody):
    """A member of the public: nobody who signs in."""
    return somebody(accept_downloads=True)


@pytest.fixture
def watch(axe):
    """Looks at pages, and fails the test for what is wrong with any."""
    watch = PageWatch(axe)
    yield watch
    assert not watch.faults, "\n".join(watch.faults)
