"""The desk's own settings, on a home of its own that goes away, with quick password hashing.

``FOLKMOOT_DATABASE`` chooses the database, as it does in production: SQLite unless it says
otherwise.
"""

import atexit
import os
import shutil
import tempfile

HOME = tempfile.mkdtemp(prefix="folkmoot-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ["FOLKMOOT_HOME"] = HOME
os.environ["FOLKMOOT_ADDRESS"] = "http://testserver"
os.environ["FOLKMOOT_LISTEN"] = "127.0.0.1:8000"

from folkmoot.desk.site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
(CONFIG.home / "static").mkdir(parents=True, exist_ok=True)  # noqa: F405
