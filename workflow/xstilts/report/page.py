"""The page: template, style, scripts and data in one file that loads nothing else."""

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

PARTS = Path(__file__).parent / "page"
# In order of use: each needs those before it.
SCRIPTS = ("dom", "colour", "chart", "downloads", "tables", "questions", "cell", "compare", "main")


def as_json(value: Any) -> str:
    """Return JSON for a script element: no text in it can end the element.

    `<`, `>` and `&` occur in JSON only inside strings, where an escape means the same.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def render(data: dict[str, Any]) -> str:
    """Return the HTML of the report.

    Its Content-Security-Policy allows only this script and style, by their hashes: a script
    injected through a name or a text would not run even if escaping failed, and nothing is loaded.
    """
    script = "\n".join(_part(f"{name}.js") for name in SCRIPTS)
    style = _part("style.css")
    policy = {"default": "'none'", "img": "data:", "style": _hash(style), "script": _hash(script)}
    values = {
        "{{title}}": escape(data["title"]),
        "{{policy}}": "; ".join(f"{kind}-src {source}" for kind, source in policy.items()),
        "{{style}}": style,
        "{{script}}": script,
        "{{data}}": as_json(data),
    }
    # In one pass, so that no value is taken for a placeholder.
    return re.sub(r"{{\w+}}", lambda match: values[match.group()], _part("page.html"))


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
