"""Compare every figure that this working tree gives with those of a commit.

The commit is installed in an environment of its own, beside the libraries of this one; nothing is downloaded. There and
here, every record is read and some fifty commands are run on them: boards, findings, comparisons, checks, generated
mazes, small evaluations and a training. Scores, intervals, ranks, limits, verdicts, badges, identities of solvers and
exit codes have to be the same. A few minutes each. Exit codes: 0 the same, 1 something differs that nobody stated
(EXPECTED, in expected.py), 2 usage or a failed installation.
"""

import argparse
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import venv
from collections.abc import Sequence
from pathlib import Path

import extramaze
from extramaze.core.locks import scratch
from tests.tools.differences import Difference, Expected, differences, sort_out
from tests.tools.expected import EXPECTED

ROOT = Path(__file__).parents[2]
EXPORTER = Path(__file__).with_name("figures.py")
LISTED = 200


class Failed(Exception):
    """Nothing could be compared; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print what differs, and return the exit code."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is temporary goes, and children end
    try:
        theirs, ours = exports(given.commit, given.records, given.keep)
        expected = [one for one in EXPECTED if not _holds(given.commit, one.commit)]
    except Failed as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    unstated, stated = sort_out(list(differences(theirs, ours, given.tolerance)), expected)
    print(report(unstated, stated, given.all))
    return 1 if unstated else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.same_figures", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("commit", metavar="COMMIT", help="a commit, a tag, or such as HEAD~20")
    parser.add_argument("--tolerance", type=float, default=0.0, help="relative, between numbers; default: none differs")
    parser.add_argument(
        "--records",
        choices=("own", "theirs"),
        default="own",
        help="the records that each ships, or the commit's read by both, to compare code alone; default: own",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep both exports there; what is there of COMMIT is used"
    )
    parser.add_argument("--all", action="store_true", help=f"list every difference, not the first {LISTED}")
    return parser


def exports(commit: str, whose: str, keep: Path | None) -> tuple[dict, dict]:
    """Return the figures of a commit and of the working tree. Raises Failed."""
    if Path(extramaze.__file__).resolve().parents[1] != ROOT:
        raise Failed(f"extramaze is that of {Path(extramaze.__file__).parent}; install this tree with pip install -e")
    sha = _git("rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()
    exporter = hashlib.sha256(EXPORTER.read_bytes()).hexdigest()[:8]
    with scratch() as folder:
        source, kept = folder / "source", (keep or folder) / f"{sha[:12]}-{exporter}.json"
        with tarfile.open(fileobj=io.BytesIO(_git("archive", sha))) as archive:
            archive.extractall(source, filter="data")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            _export(install(source, folder / "env"), source / "results", folder / "theirs", kept, own_cache=True)
        ours = (keep or folder) / f"here-{whose}.json"
        _export(Path(sys.executable), (ROOT if whose == "own" else source) / "results", folder / "ours", ours)
        return json.loads(kept.read_text()), json.loads(ours.read_text())


def install(source: Path, folder: Path) -> Path:
    """Install a source tree, beside this environment's libraries; return the interpreter. Raises Failed."""
    venv.create(folder)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    (packages / "libraries.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("-packages")))
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", source]
    done = subprocess.run([*pip, "--ignore-installed"], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"the commit could not be installed: {done.stderr.strip()[-1000:]}")
    return python


def _export(python: Path, records: Path, folder: Path, out: Path, own_cache: bool = False) -> None:
    """Let an interpreter's extramaze export its figures, in a new folder. Raises Failed."""
    folder.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "EXTRAMAZE_CACHE": "off", "PYTHONPATH": ""}
    if own_cache:
        environment["XDG_CACHE_HOME"] = str(folder.with_name("cache"))
    done = subprocess.run([python, EXPORTER, records.resolve(), out.resolve()], cwd=folder, env=environment)
    if done.returncode:
        raise Failed(f"{python} could not export its figures: exit code {done.returncode}, see above")


def report(unstated: Sequence[Difference], stated: dict[Expected, list[Difference]], every: bool = False) -> str:
    """Write what differs, what nobody stated first."""
    lines = [f"{len(unstated)} figures differ" if unstated else "no figure differs that nobody stated"]
    shown = len(unstated) if every else LISTED
    lines += [f"  {difference}" for difference in unstated[:shown]]
    lines += [f"  … and {len(unstated) - shown} more (--all)"] if len(unstated) > shown else []
    for one, found in stated.items():
        lines.append(f"{len(found)} as stated, at {one.place}: {one.reason}")
        lines += [f"  {difference}" for difference in found[: len(found) if every else 1]]
    return "\n".join(lines)


def _holds(commit: str, other: str) -> bool:
    """Whether a commit has another one among its ancestors; not where that one is not known here."""
    found = subprocess.run(["git", "merge-base", "--is-ancestor", other, commit], cwd=ROOT, capture_output=True)
    return found.returncode == 0


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise Failed(f"git {' '.join(arguments)}: {done.stderr.decode().strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
