"""Make the desk's style and script from GOV.UK Frontend as npm installed it.

Three changes, each for a reason: the GDS Transport font is licensed for gov.uk alone, so it goes;
the crest and crown are the Crown's, so the rules that draw them go; addresses into ``/assets/`` and
source maps would break ``collectstatic`` under manifest storage, so none remains.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FRONTEND = ROOT / "node_modules" / "govuk-frontend" / "dist" / "govuk"
BUILT = ROOT / "src" / "folkmoot" / "desk" / "site" / "static" / "built"


NOTICE = (
    "/*! GOV.UK Frontend, MIT licence, Copyright (C) 2011 Crown Copyright "
    "(Government Digital Service). Changed: see tools/build_assets.py */\n"
)


def build_css(css: str) -> str:
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = css.replace("GDS Transport,", "")
    css = re.sub(
        r"background-image:url\(/assets/images/govuk-crest\.svg\)", "background-image:none", css
    )
    css = css.replace("url(/assets/images/govuk-crest.svg)", "none")
    css = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css)
    left = re.findall(r"url\([^)]*\)|GDS Transport", css)
    if left:
        raise SystemExit(f"GOV.UK Frontend's style has parts this build does not know: {left}")
    return css


def build_js(js: str) -> str:
    return re.sub(r"//# sourceMappingURL=\S+", "", js)


def main() -> int:
    if not FRONTEND.is_dir():
        print(f"{FRONTEND} is missing: run `make install`.", file=sys.stderr)
        return 1
    BUILT.mkdir(parents=True, exist_ok=True)
    css = (FRONTEND / "govuk-frontend.min.css").read_text(encoding="utf-8")
    js = (FRONTEND / "govuk-frontend.min.js").read_text(encoding="utf-8")
    (BUILT / "govuk-frontend.css").write_text(NOTICE + build_css(css), encoding="utf-8")
    (BUILT / "govuk-frontend.js").write_text(NOTICE + build_js(js), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
