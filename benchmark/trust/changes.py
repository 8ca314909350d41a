"""What a change may touch: ``python -m extramaze.trust.changes BASE HEAD`` in a clone, before HEAD is merged into BASE.

Verifications, which badges rest on, and ``.github``, which holds this gate, are for maintainers; a submission comes
alone. One line for each finding; exit code 1 where there is one, 2 where git cannot tell. Git and the standard library
only, and nothing of HEAD is run or checked out: the base branch's own copy of this file judges it, as a script too.

An e-mail address in a commit is its author's word. The gate keeps honest changes in their lanes; who merges, logged in
to the place that serves the repository, is who decides. Such a place may tell who opened a change: ``--author``.
"""

import argparse
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAINTAINERS = ".github/MAINTAINERS"
PROTECTED = (".github", "results/verifications")
NO_SUBMISSIONS = ("baselines", "pictures", "verifications")  # folders of results/ that hold no solvers' folders
CARD = "card.json"
LINKS = {"120000": "a link", "160000": "another repository"}  # git's modes of what is no file of the folder
SHORT = (re.compile(r"githu\w?~\d"), re.compile(r"verifi~\d"))  # as Windows shortens both folders' names
GIT = ("git", "--no-replace-objects", "--no-pager", "--literal-pathspecs")
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name for it, in every repository
Modes = dict[str, str]  # by path: the mode that HEAD gives what differs, 000000 where it removes it


@dataclass(frozen=True)
class Person:
    """Who a commit says made it."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{shown(self.name)} <{shown(self.email)}>"


@dataclass(frozen=True)
class Commit:
    """A commit, its author and committer, and its parents."""

    sha: str
    people: tuple[Person, Person]
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Maintainers:
    """Who may change what is protected: addresses, names that stand without an address, and logins (``@name``)."""

    emails: frozenset[str]
    names: frozenset[str]
    logins: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Maintainers":
        """Read lines such as ``Ada Lovelace <ada@example.org> @ada``; ``#`` begins a comment."""
        emails, names, logins = set(), set(), set()
        for line in text.splitlines():
            words = line.partition("#")[0].replace("<", " ").replace(">", " ").split()
            found = {word.casefold() for word in words if "@" in word[1:]}
            logins |= {word[1:].casefold() for word in words if word.startswith("@")}
            emails |= found
            name = " ".join(word for word in words if "@" not in word)
            if name and not found:
                names.add(name)
        return cls(frozenset(emails), frozenset(names), frozenset(logins))

    def include(self, person: Person) -> bool:
        """Whether a person's address is one of these, or the name where it stands alone."""
        return person.email.strip().casefold() in self.emails or person.name in self.names


class GitError(Exception):
    """What git could not tell, in its words."""


def git(*arguments: str) -> str:
    """Run git and return what it prints, bytes that are no text kept as surrogates. Raises GitError."""
    done = subprocess.run([*GIT, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise GitError(done.stderr.decode("utf-8", "replace").strip() or f"git {arguments[0]} failed")
    return done.stdout.decode("utf-8", "surrogateescape")


def findings(base: str, head: str, author: str | None = None) -> list[str]:
    """List what is wrong with merging HEAD into BASE, a line each. author: who opened the change, where that is known.

    Raises GitError where one is no commit here, or their histories are not.
    """
    base, head = commit_sha(base), commit_sha(head)
    if git("rev-parse", "--is-shallow-repository").strip() == "true":
        raise GitError("this clone lacks a part of the history; fetch all of it")
    maintainers, changed, commits = read_maintainers(base), change(base, head), commits_of(base, head)
    touching = {commit: paths for commit in commits if (paths := [*filter(is_protected, touched(commit, base))])}
    found = [line for commit, paths in touching.items() for line in _foreign(commit, paths, maintainers)]
    told = {path for paths in touching.values() for path in paths}
    unclaimed = [path for path in changed if is_protected(path) and path not in told]
    found += [f"{shown(path)}: only maintainers change this; no commit says who did" for path in unclaimed]
    if told and maintainers.logins and author is not None and author.casefold() not in maintainers.logins:
        found.append(f"{shown(min(told))}: only maintainers change this; {shown(author)} opened the change")
    ours = bool(commits) and all(maintainers.include(person) for commit in commits for person in commit.people)
    return [*found, *_mixed(changed, base, head, ours)]


def _foreign(commit: Commit, paths: Sequence[str], maintainers: Maintainers) -> Iterator[str]:
    """Name each protected path that a commit touches whose author or committer is no maintainer."""
    strangers = [person for person in dict.fromkeys(commit.people) if not maintainers.include(person)]
    for path in paths if strangers else ():
        who = " and ".join(map(str, strangers))
        yield f"{shown(path)}: only maintainers change this; {commit.sha[:12]} is by {who}, not in {MAINTAINERS}"


def _mixed(changed: Modes, base: str, head: str, ours: bool) -> Iterator[str]:
    """Name what comes together with a submission and is none, and links in one. ours: maintainers made every commit.

    They may renew records and pages together; a submission with a card comes alone, whoever brings it.
    """
    folders = {path: submission_of(path) for path in changed}
    submissions = sorted({folder for folder in folders.values() if folder is not None})
    if ours:
        submissions = [folder for folder in submissions if _has_card(folder, base) or _has_card(folder, head)]
    if not submissions:
        return
    more = f" and {len(submissions) - 1} more" if len(submissions) > 1 else ""
    for path, folder in folders.items():
        if folder is None or (ours and folder not in submissions):
            yield f"{shown(path)}: comes with the submission {shown(submissions[0])}{more}, which comes alone"
        elif changed[path] in LINKS:
            yield f"{shown(path)}: {LINKS[changed[path]]} in a submission, which holds files"
        elif not path.startswith("results/"):
            yield f"{shown(path)}: would be taken for {shown(plain(path))} elsewhere; call it so"


def _has_card(folder: str, commit: str) -> bool:
    return bool(git("ls-tree", "-z", "--full-tree", commit, "--", f"{folder}/{CARD}"))


def commit_sha(name: str) -> str:
    """Resolve the name of a commit. Raises GitError."""
    try:
        return git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").split()[-1]
    except GitError as problem:
        raise GitError(f"{name} is no commit of this clone; fetch it") from problem


def read_maintainers(base: str) -> Maintainers:
    """Read who the maintainers are, as the base has it: nobody where it has no such file."""
    listed = git("ls-tree", "-z", "--full-tree", base, "--", MAINTAINERS)
    return Maintainers.parse(git("cat-file", "blob", f"{base}:{MAINTAINERS}") if listed.startswith("100") else "")


def change(base: str, head: str) -> Modes:
    """Return what merging would change: what differs from the base and from all that both came from."""
    try:
        olds = git("merge-base", "--all", base, head).split()
    except GitError as problem:
        raise GitError("the two have no common history here; fetch all of it") from problem
    different = [differing(old, head) for old in (base, *olds)]
    return {path: mode for path, mode in different[0].items() if all(path in others for others in different)}


def commits_of(base: str, head: str) -> list[Commit]:
    """Return the commits that merging would bring, oldest first."""
    form = "%x00".join(("%H", "%an", "%ae", "%cn", "%ce", "%P"))
    options = ("-z", "--reverse", "--topo-order", "--no-show-signature", f"--format={form}")
    fields = git("log", *options, f"{base}..{head}").split("\0")
    each = [fields[at : at + 6] for at in range(0, len(fields) - 5, 6)]
    return [Commit(sha, (Person(an, ae), Person(cn, ce)), tuple(up.split())) for sha, an, ae, cn, ce, up in each]


def touched(commit: Commit, base: str) -> list[str]:
    """Return the paths that a commit itself changes.

    A merge changes what it leaves otherwise than a side that the base has, to anything but what the base has now; where
    it has no such side, what is otherwise than on every side.
    """
    if len(commit.parents) < 2:
        return list(differing(commit.parents[0] if commit.parents else EMPTY_TREE, commit.sha))
    known = [parent for parent in commit.parents if _is_before(parent, base)]
    if known:
        sides = [differing(parent, commit.sha) for parent in known]
        return [path for path in differing(base, commit.sha) if any(path in side for side in sides)]
    first, *others = (differing(parent, commit.sha) for parent in commit.parents)
    return [path for path in first if all(path in side for side in others)]


def _is_before(commit: str, base: str) -> bool:
    try:
        return git("merge-base", commit, base).strip() == commit
    except GitError:  # histories that share nothing
        return False


def differing(old: str, new: str) -> Modes:
    """Return every path at which two trees differ, be it in the mode alone, with the new one's mode. No renames."""
    options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", "--ignore-submodules=none")
    parts = git("diff-tree", *options, "--end-of-options", old, new).split("\0")
    return {path: meta.split()[1] for meta, path in zip(parts[::2], parts[1::2], strict=False)}


def is_protected(path: str) -> bool:
    """Whether a path is, or would be on some system, within what only maintainers change."""
    parts = plain(path).split("/")
    first, second = parts[0], parts[1] if len(parts) > 1 else ""
    return (
        any(parts[: place.count("/") + 1] == place.split("/") for place in PROTECTED)
        or bool(SHORT[0].match(first))
        or (first == "results" and bool(SHORT[1].match(second)))
        or PROTECTED[1].startswith(f"{plain(path)}/")  # results itself, as a link or another repository
    )


def submission_of(path: str) -> str | None:
    """Return the folder results/SUITE/SOLVER that a path lies in, None where it lies in none."""
    parts = plain(path).split("/")
    if len(parts) < 3 or parts[0] != "results" or parts[1] in NO_SUBMISSIONS:
        return None
    return "/".join(path.split("/")[:3])


def plain(path: str) -> str:
    """Return a path as the most lenient of systems reads it: no case, look-alikes, invisible signs, trailing dots."""
    text = unicodedata.normalize("NFKC", path).replace("\\", "/")
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc")).casefold()
    parts = (part.partition(":")[0].rstrip(" .") for part in text.split("/"))
    return "/".join(part for part in parts if part)


def shown(text: str) -> str:
    """Return foreign text as one printable, quoted word that no CI's log obeys."""
    return ascii(text).replace("##", "#\\x23")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m extramaze.trust.changes", description=__doc__.partition("\n\n")[2])
    parser.add_argument("base", metavar="BASE", help="the commit that the change is for, such as main")
    parser.add_argument("head", metavar="HEAD", help="the change's last commit")
    parser.add_argument("--author", metavar="LOGIN", help="who opened the change, where a server has seen them log in")
    given = parser.parse_args(arguments)
    try:
        found = findings(given.base, given.head, given.author)
    except (GitError, OSError) as problem:
        print(f"error: {shown(str(problem))[:500]}", file=sys.stderr)
        return 2
    print("\n".join(found or ["nothing here that is not for whoever changes it"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
