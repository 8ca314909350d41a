"""Names and paths as people see them: on one line, with every character that a terminal would hide or obey escaped."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}"  # of whatever has a name in results
MOST = 100  # characters of a name that a sentence shows


def shown(text: object, most: int | None = None) -> str:
    r"""Write text with what cannot be seen escaped as Python does it, ``\n``, ``\xa0``, ``\udce9`` (a byte, no UTF-8).

    most: characters that are kept, with an ellipsis for the rest; None for all.
    """
    text = str(text)
    cut = text if most is None or len(text) <= most else f"{text[: most - 1]}…"
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in cut)


def _escaped(sign: str) -> str:
    return ascii(sign)[1:-1]
