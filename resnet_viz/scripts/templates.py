"""The little that turns a template into text: named parts, and lines that may vanish."""

from __future__ import annotations

import textwrap
from string import Template


def fill(template: str, **parts: str) -> str:
    """`template` with each `$name` replaced by the part of that name.

    A line that holds nothing but a name takes the part's lines at its own indentation, and
    vanishes when the part is empty. Parts are not searched for names in their turn, so what
    they quote stays as it is.

    Raises:
        KeyError: the template names a part that was not given.
    """
    lines = []
    for line in template.strip("\n").splitlines():
        name = line.strip()
        if name.startswith("$") and name[1:].isidentifier():
            part = parts[name[1:]].strip("\n")
            if part:
                lines.append(textwrap.indent(part, line[: -len(name)]))
        else:
            lines.append(Template(line).substitute(parts))
    return "\n".join(lines)


def literal(value: object) -> str:
    """Python source of a plain value, in double quotes as formatters like them.

    `repr` escapes quotes, line ends and everything invisible, so that no text can end its
    literal early.
    """
    text = repr(value)
    if isinstance(value, str) and "'" not in value and '"' not in value:
        return f'"{text[1:-1]}"'
    return text
