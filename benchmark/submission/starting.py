"""Start a submission: a folder with a solver, its training, its test and its card, to be made one's own."""

import re
from importlib.resources import files
from pathlib import Path

from extramaze.core.errors import InputError
from extramaze.core.files import hold, remove_temporary
from extramaze.core.folders import holds_only, write_folder
from extramaze.core.line_ends import ATTRIBUTES, KEEP_THEM
from extramaze.trust.names import FILES, own_name

TEMPLATE = ("solver.py", "train.py", "test_solver.py", "card.yaml")
PLACEHOLDER = "my-net"


def start_submission(name: str, out: Path | None = None) -> Path:
    """Write the template of a submission into ``out`` (default: a new folder of that name), and return the folder.

    Raises InputError for a name that cannot be used, and for a folder with anything else in it.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > 40:
        raise InputError(
            f"a submission is named by small letters, digits and single hyphens, as gated-net; got {name!r}"
        )
    own = own_name(name)
    if own is not None or name in FILES:
        raise InputError(f"the name {name} is extramaze's own, or would be taken for {own or 'a file'}; choose another")
    folder = out or Path(name)
    template = files("extramaze.submission") / "template"
    texts = {file: (template / file).read_text("utf-8").replace(PLACEHOLDER, name) for file in TEMPLATE}
    contents = {file: text.encode() for file, text in texts.items()} | {ATTRIBUTES: KEEP_THEM}
    with hold(folder):
        if not holds_only(folder, contents):
            raise InputError(f"{folder} exists and is not empty; choose another --out")
        remove_temporary(folder)
        write_folder(folder, contents)
    return folder
