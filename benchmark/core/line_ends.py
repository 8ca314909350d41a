"""Line ends, which Git changes on a checkout where core.autocrlf is set, and sealed files do not survive."""

from pathlib import Path

from extramaze.core.files import write_atomically

ATTRIBUTES = ".gitattributes"  # in a folder: how Git treats its files and those below
KEEP_THEM = b"* -text\n"
CHANGED_ENDS = (
    "line ends were changed (LF to CRLF, or back), as Git does on a checkout; restore them: "
    "git config core.autocrlf false, delete the file, git checkout -- FILE"
)


def keep_line_ends(folder: Path) -> None:
    """Tell Git, in a folder of sealed files, to leave every byte of them alone. Raises InputError."""
    write_atomically(folder / ATTRIBUTES, KEEP_THEM)


def differs_in_line_ends(content: bytes, other: bytes) -> bool:
    """Whether two files are the same but for CRLF in place of LF."""
    return content != other and _plain(content) == _plain(other)


def with_other_line_ends(content: bytes) -> tuple[bytes, bytes]:
    """Return a file with every line ended by LF, and with every line ended by CRLF."""
    return _plain(content), _plain(content).replace(b"\n", b"\r\n")


def _plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
