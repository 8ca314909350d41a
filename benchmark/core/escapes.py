"""Foreign text, made fit for the place it is printed in: a terminal or a CI's log, Markdown, HTML, XML.

A name, a note or a message that somebody else wrote may hold control characters, marks that turn a line's direction or
take no room, the signs of a markup, or a command to the CI whose log it lands in. What these functions return shows
what was written, and does nothing else.
"""

import html
import re

# Printable by Unicode, with nothing to be seen: joiners, fillers, blanks, and selectors of variants.
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
# What CI runners obey: ::error at a line's beginning (GitHub), ##[error] and ##vso[task…] anywhere in one (and Azure).
_COMMAND = re.compile(r"(^\s*:)(?=:)|(#)(?=#\w*\[)")
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~$&#]|(?<=w)\.|:(?=//)", re.IGNORECASE)
_MENTION = re.compile(r"@(?=\w)(?!\d+\b)")


def for_terminal(text: object) -> str:
    r"""Return text on one line of a terminal, which may be a CI's log: no control characters, no commands.

    What is not printable, or cannot be seen, is written as Python writes it: ``\x1b``, ``\u202e``. A command to a
    runner is broken by a backslash: ``:\:error``, ``#\#[error]``.
    """
    return _COMMAND.sub(lambda sign: f"{sign[0]}\\", visible(str(text)))


def lines_for_terminal(text: str) -> str:
    """Return lines of ours that foreign text stands in, each as ``for_terminal`` has it."""
    return "\n".join(map(for_terminal, text.split("\n")))


def json_for_terminal(text: str) -> str:
    """Return JSON text, the same content, that no runner takes for a command."""
    return re.sub(r"##(?=\w*\[)", r"#\\u0023", text)


def for_markdown(text: object) -> str:
    """Return text within a line, or a table's cell, of Markdown: it marks nothing up, links nowhere, calls nobody."""
    escaped = _MARKUP.sub(lambda sign: f"\\{sign[0]}", visible(str(text)))
    return _MENTION.sub("@<!-- -->", escaped)


def for_html(text: object) -> str:
    """Return text for HTML: between tags, or in a quoted attribute."""
    return html.escape(visible(str(text)))


def for_xml(text: str) -> str:
    """Return lines without what XML cannot hold; whoever writes them escapes its signs."""
    return "\n".join(map(visible, text.split("\n")))


def visible(text: str) -> str:
    """Return text with what is not printable, or not to be seen, written as Python does."""
    printable = "".join(sign if sign.isprintable() else _written(sign) for sign in text)
    return _INVISIBLE.sub(lambda sign: _written(sign[0]), printable)


def _written(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
