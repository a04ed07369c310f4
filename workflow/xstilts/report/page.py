"""The page: template, style, scripts and data in one file that asks the network for nothing."""

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

PARTS = Path(__file__).parent / "page"
# In the order in which they need each other.
SCRIPTS = ("dom", "colour", "chart", "tables", "cell", "compare", "main")


def as_json(value: Any) -> str:
    """Return JSON that can stand in a script element: no text in it can end the element.

    `<`, `>` and `&` occur in JSON only inside of strings, where an escape means the same.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def render(data: dict[str, Any]) -> str:
    """Return the HTML of the report.

    The policy in its head lets the browser run and apply only what is here, known by its hash: a
    script that came in with a name or a text could not run even if escaping failed, and nothing can
    be loaded.
    """
    script = "\n".join(_part(f"{name}.js") for name in SCRIPTS)
    style = _part("style.css")
    allowed = {"default": "'none'", "img": "data:", "style": _hash(style), "script": _hash(script)}
    filled = {
        "{{title}}": escape(data["title"]),
        "{{policy}}": "; ".join(f"{kind}-src {what}" for kind, what in allowed.items()),
        "{{style}}": style,
        "{{script}}": script,
        "{{data}}": as_json(data),
    }
    # In one pass, so that nothing that is filled in is taken for a name.
    return re.sub(r"{{\w+}}", lambda found: filled[found.group()], _part("page.html"))


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
