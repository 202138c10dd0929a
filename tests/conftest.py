"""The library's tests run with Django out of reach: whoever imports it there fails at once."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class NoDjango(MetaPathFinder):
    """Refuses to find Django."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] == "django":
            raise ModuleNotFoundError("The library's tests run without Django.", name="django")


sys.meta_path.insert(0, NoDjango())
