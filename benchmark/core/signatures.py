"""What a file really is, by its first bytes: what others call an array is often something else."""

import re

HEAD = 512  # bytes that tell
NPY, NPZ, PARQUET = "a NumPy array (.npy)", "an archive (.npz or .zip)", "a Parquet file"
_STARTS = {
    rb"\x93NUMPY": NPY,
    rb"PK(\x03\x04|\x05\x06)": NPZ,
    rb"version https://git-lfs": "a Git LFS pointer, which stands for the file; fetch that with: git lfs pull",
    rb"(\xef\xbb\xbf)?\s*(?i:<!doctype html|<html|<head|<\?xml|<!--)": "a web page, as a failed download leaves it; "
    "download the file itself",
    rb"\x1f\x8b": "compressed by gzip; unpack it",
    rb"BZh": "compressed by bzip2; unpack it",
    rb"\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!": "a compressed archive; unpack it",
    rb"[\s\S]{257}ustar": "a tar archive; unpack it",
    rb"\x80[\x01-\x05]": "a pickle, which could run code and is not read; save arrays of numbers",
    rb"\x89HDF": "an HDF5 file; save its array with numpy.save",
    rb"\x89PNG|\xff\xd8\xff|GIF8": "a picture; save the arrays behind it",
    rb"PAR1": PARQUET,
    rb"MATLAB": "a MATLAB file; save its array with numpy.save",
}


def known_kind(head: bytes) -> str | None:
    """Say what kind of file begins with these bytes, with what to do where that is clear; None for no known one."""
    return next((kind for start, kind in _STARTS.items() if re.match(start, head)), None)


def kind_of(head: bytes) -> str:
    """Say what kind of file begins with these bytes, as ``known_kind`` does; in a few words for any other."""
    known = known_kind(head)
    if known is not None:
        return known
    shown = head[:40].decode("ascii", "replace")
    if not head:
        return "an empty file"
    return f"text, {shown!r}…" if shown.isascii() and shown.isprintable() else "of no kind that is known here"


def why_unreadable(problem: Exception) -> str:
    """Say why NumPy could not read a file; its advice to load pickles is not passed on."""
    text = " ".join(str(problem).split())
    if "pickle" in text or "Python objects" in text:
        return "it holds Python objects, which could run code and are not read; save arrays of numbers"
    return f"{type(problem).__name__}: {text}"
