"""Tables as text: aligned for the terminal, or Markdown."""


def layout(header: list[str], lines: list[list[str]], markdown: bool) -> list[str]:
    """Lay out a table: its lines, aligned for a terminal or as Markdown."""
    if markdown:
        rows = [header, ["---"] * len(header), *lines]
        return ["| " + " | ".join(row) + " |" for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    return ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in [header, *lines]]
