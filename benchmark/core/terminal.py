"""Text for terminals and logs that do not know every character: signs that look alike, never one for all."""

import codecs
import io
from typing import TextIO

ALIKE = {
    "█": "#",  # a wall
    "·": ".",  # a path
    "×": "x",  # where there is none
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "†": "+",
    "±": "+/-",
    "→": "->",
    "←": "<-",
    "⇒": "=>",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "≈": "~",
    "‖": "||",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "\u00a0": " ",
    "½": "1/2",
    "∞": "inf",
    "√": "sqrt",
    "Σ": "sum",
    "Δ": "delta",
    "∂": "d",
    "α": "alpha",
    "γ": "gamma",
    "θ": "theta",
    "τ": "tau",
    "Ω": "Omega",
    "⊙": "*",  # the product number by number
    "⌈": "ceil(",
    "⌉": ")",
    "δ": "delta",
    "λ": "lambda",
    "μ": "mu",
    "π": "pi",
    "χ": "chi",
    "ü": "ue",
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"^{digit}" for digit in range(10)), strict=True)),
    **dict(zip("⁻ⁿᵀᵗ", ("^-", "^n", "^T", "^t"), strict=True)),
    "ᵢ": "_i",
    "ⱼ": "_j",
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", (f"_{digit}" for digit in range(10)), strict=True)),
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("─━", "-"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼", "+"),
}
ERRORS = "extramaze.alike"  # what codecs do with a character that they lack
ASCII = "extramaze_ascii"  # ASCII by a name that typer does not take for a mistake, and write UTF-8 instead


def show_everywhere(stream: TextIO) -> None:
    """Have a stream write, for characters that its encoding lacks, what looks alike, and others escaped."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    codecs.register_error(ERRORS, _alike)
    codecs.register(lambda name: _ASCII if name == ASCII else None)
    ascii_only = codecs.lookup(stream.encoding).name == "ascii"
    stream.reconfigure(encoding=ASCII if ascii_only else stream.encoding, errors=ERRORS)


def _alike(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    missing = problem.object[problem.start : problem.end]
    signs = (ALIKE.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in missing)
    return "".join(signs), problem.end


class _Encoder(codecs.IncrementalEncoder):
    """ASCII, piece by piece."""

    def encode(self, text: str, final: bool = False) -> bytes:  # noqa: ARG002
        return codecs.ascii_encode(text, self.errors)[0]


class _Decoder(codecs.IncrementalDecoder):
    """ASCII, piece by piece."""

    def decode(self, content: bytes, final: bool = False) -> str:  # type: ignore[override]  # noqa: ARG002
        return codecs.ascii_decode(content, self.errors)[0]


_ASCII = codecs.CodecInfo(
    codecs.ascii_encode, codecs.ascii_decode, incrementalencoder=_Encoder, incrementaldecoder=_Decoder, name=ASCII
)
