"""What is held against every page: WCAG by axe, no sideways scrolling on a phone, no complaint."""

from __future__ import annotations

from desk_people import Person

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
RUN = """tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})
  .then(found => found.violations.map(v => v.id + ': ' + v.help + ' '
    + v.nodes.map(n => n.html.slice(0, 200) + ' [' + n.failureSummary + ']').join('; ')))"""
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}
WIDE = """() => document.scrollingElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
    .map(e => e.tagName + '.' + e.className).slice(0, 5).concat('wider than the window')"""


class PageWatch:
    """Looks at pages with one person's browser and remembers which, and what was wrong."""

    def __init__(self, axe: str) -> None:
        self._axe = axe
        self.looked_at: list[str] = []
        self.faults: list[str] = []

    def visit(self, person: Person, path: str, *, status: int = 200) -> None:
        """Go to ``path``, expect its status, and look."""
        answer = person.page.goto(path)
        assert answer is not None
        if answer.status != status:
            self.faults.append(f"{path} answered {answer.status}, not {status}")
        self.look(person, path)

    def look(self, person: Person, name: str) -> None:
        """Look at the page that is open: axe the first time at a desk, the next time on a phone."""
        page = person.page
        small = self.looked_at.count(name) % 2 == 1
        self.looked_at.append(name)
        if not page.title().strip():
            self.faults.append(f"{name} has no title")
        page.set_viewport_size(PHONE)
        self._note(f"{name} at 320 px", page.evaluate(WIDE))
        if not small:
            page.set_viewport_size(DESKTOP)
        page.evaluate(self._axe)
        self._note(f"{name} at 320 px" if small else name, page.evaluate(RUN, TAGS))
        page.set_viewport_size(DESKTOP)

    def _note(self, name: str, found: list[str]) -> None:
        self.faults += [f"{name}: {one}" for one in found]
