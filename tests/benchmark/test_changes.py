"""What a change may touch, shown on clones that are made here: the gate of verifications, .github and submissions."""

import os
import shutil
import subprocess
import sys

import pytest

from extramaze.trust import changes
from extramaze.trust.changes import Maintainers, Person, is_protected, main, plain, submission_of

ADA, MALLORY = ("Ada", "ada@example.org"), ("Mallory", "mallory@example.org")
LENIENT = ("-c", "core.protectNTFS=false", "-c", "core.protectHFS=false")
ROW = "results/smoke-v1/my-net@0"
FORGED = "results/verifications/smoke-v1/my-net@0.json"


class Clone:
    """A repository in a folder, and what is done in it."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "core.symlinks", "true")
        self.commit(ADA, **{".github/MAINTAINERS": "# who\nAda <ada@example.org>\n", "README.md": "one\n"})
        self.commit(ADA, **{"results/verifications/smoke-v1/other@0.json": "{}\n", f"{ROW[:-1]}9/card.json": "{}\n"})
        self.git("switch", "--quiet", "-c", "change")

    def git(self, *arguments, by=MALLORY, then=None):
        """Run git as somebody; then: who commits, where that is not the author."""
        (name, email), (other, address) = by, then or by
        who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
        who |= {"GIT_COMMITTER_NAME": other, "GIT_COMMITTER_EMAIL": address}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", *LENIENT, *arguments]
        done = subprocess.run(
            command, cwd=self.place, env={**os.environ, **who, **alone}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, by, then=None, **files):
        """Commit files, by path; None removes one."""
        for name, content in files.items():
            path = self.place / name
            if content is None:
                self.git("rm", "-r", "--quiet", "--", f":(literal){name}")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            self.git("add", "--force", "--", f":(literal){name}")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change", by=by, then=then)
        return self.git("rev-parse", "HEAD")

    def entry(self, mode, name, by=MALLORY):
        """Commit an entry of any mode: a link, or another repository."""
        made = self.git("rev-parse", "HEAD" if mode == "160000" else "HEAD:README.md")
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{made},{name}")
        self.git("commit", "--quiet", "-m", "a link", by=by)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    found = Clone(tmp_path / "clone")
    monkeypatch.chdir(found.place)
    return found


def judged(capsys, *options):
    """The exit code of the branch's change against main, and the lines that were printed."""
    code = main([*options, "main", "change"])
    return code, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", [FORGED, ".github/workflows/ci.yml", ".github/MAINTAINERS"])
def test_only_maintainers_change_what_is_protected(clone, capsys, name):
    """A stranger's commit is one line with the path and the commit, exit code 1; a maintainer's passes."""
    sha = clone.commit(MALLORY, **{name: "mine\n"})
    code, lines = judged(capsys)
    assert code == 1
    assert lines == [
        f"{name!r}: only maintainers change this; {sha[:12]} is by 'Mallory' <'mallory@example.org'>, "
        "not in .github/MAINTAINERS"
    ]
    clone.git("switch", "--quiet", "-C", "change", "main")
    clone.commit(ADA, **{name: "mine\n"})
    assert judged(capsys) == (0, ["nothing here that is not for whoever changes it"])


def test_author_and_committer_are_both_asked(clone, capsys):
    """Neither a stranger's work that a maintainer's name stands on, nor a maintainer's that a stranger committed."""
    clone.commit(ADA, then=MALLORY, **{FORGED: "{}\n"})
    assert judged(capsys)[0] == 1
    clone.git("switch", "--quiet", "-C", "change", "main")
    clone.commit(MALLORY, then=ADA, **{FORGED: "{}\n"})
    assert judged(capsys)[0] == 1


def test_nobody_makes_oneself_a_maintainer(clone, capsys):
    """The list is the base's, however often the change rewrites it."""
    clone.commit(MALLORY, **{".github/MAINTAINERS": "Mallory <mallory@example.org>\n"})
    clone.commit(MALLORY, **{FORGED: "{}\n"})
    code, lines = judged(capsys)
    assert code == 1
    assert len(lines) == 2


def test_without_a_list_there_are_no_maintainers(clone, capsys):
    """Nobody passes where the base names nobody."""
    clone.git("switch", "--quiet", "main")
    clone.commit(ADA, **{".github/MAINTAINERS": None})
    clone.git("switch", "--quiet", "-C", "change")
    clone.commit(ADA, **{FORGED: "{}\n"})
    assert judged(capsys)[0] == 1


def test_what_is_undone_later_was_done(clone, capsys):
    """A commit that touches and another that takes back: each is named, though nothing is left of it."""
    clone.commit(MALLORY, **{FORGED: "{}\n"})
    clone.commit(MALLORY, **{FORGED: None})
    assert len(judged(capsys)[1]) == 2


def test_renames_removals_and_modes_touch(clone, capsys):
    """Away from and into what is protected, removed, or made executable."""
    old, steps = "results/verifications/smoke-v1/other@0.json", []
    steps.append(lambda: clone.git("mv", old, "elsewhere.json"))
    steps.append(lambda: clone.git("rm", "--quiet", old))
    steps.append(lambda: clone.git("update-index", "--chmod=+x", old))
    steps.append(lambda: clone.git("mv", "README.md", ".github/README.md"))
    for step in steps:
        clone.git("reset", "--hard", "--quiet", "main")
        step()
        clone.git("commit", "--quiet", "-m", "moved")
        code, lines = judged(capsys)
        assert code == 1
        assert "only maintainers change this" in lines[0]


@pytest.mark.parametrize("mode", ["120000", "160000"])
@pytest.mark.parametrize("name", [".github", "results/verifications", "results/verifications/smoke-v1", "results"])
def test_links_and_other_repositories_touch(clone, capsys, mode, name):
    """In the place of a protected folder, or of one that it lies in."""
    clone.git("rm", "-r", "--quiet", "--ignore-unmatch", name)
    clone.entry(mode, name)
    code, lines = judged(capsys)
    assert code == 1
    assert any(line.startswith(f"{name!r}: only maintainers") for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        ".GitHub/workflows/x.yml",
        ".github./workflows/x.yml",
        ".git\u200chub/workflows/x.yml",
        "GITHUB~1/workflows/x.yml",
        "Results/Verifications/smoke-v1/x.json",
        "results/verifi~1/smoke-v1/x.json",
        "results\\verifications\\x.json",
        "results/\uff56erifications/x.json",
        "results/verifications::$INDEX_ALLOCATION/x.json",
        ".github/a\nb",
    ],
)
def test_spellings_that_some_system_reads_alike_touch(clone, capsys, name):
    """Case, trailing dots, signs without width, short names, backslashes, wide letters, streams, line breaks."""
    assert is_protected(name)
    blob = clone.git("rev-parse", "HEAD:README.md")
    listing = f"100644 {blob}\t{name}\0"
    command = ["git", *LENIENT, "update-index", "-z", "--index-info"]
    subprocess.run(command, cwd=clone.place, input=listing.encode(), check=True)
    clone.git("commit", "--quiet", "-m", "odd")
    code, lines = judged(capsys)
    assert code == 1
    assert lines[0].startswith(ascii(name))


@pytest.mark.parametrize(
    "name", ["docs/.github/x", "github/x", "results/verification/x", "mazes/verifications/x", "README.md"]
)
def test_other_paths_are_free(name):
    """Near names, and the same names elsewhere."""
    assert not is_protected(name)


def test_a_submission_comes_alone(clone, capsys):
    """By itself, several seeds at once, it passes; with anything else each other path is named."""
    clone.commit(MALLORY, **{f"{ROW}/card.json": "{}\n", f"{ROW}/solver.py": "", f"{ROW[:-1]}1/card.json": "{}\n"})
    assert judged(capsys)[0] == 0
    clone.commit(MALLORY, **{"README.md": "two\n", "results/LEADERBOARD.md": "x\n", "results/smoke-v1/note": "x\n"})
    code, lines = judged(capsys)
    assert code == 1
    assert [line.partition(":")[0] for line in lines] == ["'README.md'", "'results/LEADERBOARD.md'"]
    assert f"comes with the submission '{ROW}' and" in lines[0]


def test_a_submission_with_its_own_verification_is_named_twice(clone, capsys):
    """Nobody but a maintainer verifies, and not in the same change."""
    clone.commit(MALLORY, **{f"{ROW}/card.json": "{}\n", FORGED: "{}\n"})
    code, lines = judged(capsys)
    assert code == 1
    assert len(lines) == 2


def test_maintainers_renew_records_with_pages_but_submissions_alone(clone, capsys):
    """Rows without a card may come with what is said of them; a card's folder not, whoever brings it."""
    clone.commit(ADA, **{"results/smoke-v1/dt-net-thin@0/record.json": "{}\n", "README.md": "two\n", FORGED: "{}\n"})
    assert judged(capsys)[0] == 0
    clone.commit(MALLORY)
    assert judged(capsys)[0] == 1
    clone.git("switch", "--quiet", "-C", "change", "main")
    clone.commit(ADA, **{f"{ROW}/card.json": "{}\n", "README.md": "two\n"})
    assert judged(capsys)[0] == 1


def test_a_submission_holds_files(clone, capsys):
    """A link in it is named, and one in its place."""
    clone.commit(MALLORY, **{f"{ROW}/card.json": "{}\n"})
    clone.entry("120000", f"{ROW}/record.json")
    clone.entry("160000", "results/smoke-v1/linked")
    code, lines = judged(capsys)
    assert code == 1
    assert lines == [
        "'results/smoke-v1/linked': another repository in a submission, which holds files",
        f"'{ROW}/record.json': a link in a submission, which holds files",
    ]
    assert submission_of("Results/smoke-v1/x/y") == "Results/smoke-v1/x"
    assert submission_of("results/baselines/x/y") is None
    assert plain("Results//a./B ") == "results/a/b"


def branched(clone):
    """Let main go on with .github after the change was begun, by a maintainer."""
    clone.commit(MALLORY, **{"docs/x.md": "x\n"})
    clone.git("switch", "--quiet", "main")
    clone.commit(ADA, **{".github/workflows/ci.yml": "new\n", FORGED: "{}\n"})
    clone.git("switch", "--quiet", "change")


def test_main_merged_into_a_change_is_nobodys_touch(clone, capsys):
    """What maintainers changed meanwhile comes with a merge, and is not the merger's; nor is an older branch's lack."""
    branched(clone)
    assert judged(capsys)[0] == 0
    clone.git("merge", "--quiet", "--no-edit", "main")
    assert judged(capsys)[0] == 0


def test_a_merge_that_takes_the_old_side_touches(clone, capsys):
    """It would undo what main has: named, though no other commit of the change touches it."""
    branched(clone)
    clone.git("merge", "--quiet", "--no-edit", "--strategy=ours", "main")
    code, lines = judged(capsys)
    assert code == 1
    assert {line.partition(":")[0] for line in lines} == {"'.github/workflows/ci.yml'", f"'{FORGED}'"}


def test_a_merge_with_something_of_its_own_touches(clone, capsys):
    """Content that neither side has, slipped in where two branches of the change meet."""
    clone.commit(MALLORY, **{"docs/x.md": "x\n"})
    clone.git("switch", "--quiet", "-c", "side", "main")
    clone.commit(MALLORY, **{"docs/y.md": "y\n"})
    clone.git("switch", "--quiet", "change")
    clone.git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    clone.commit(MALLORY, **{FORGED: "{}\n"})
    assert len(clone.git("rev-list", "--parents", "-1", "HEAD").split()) == 3
    code, lines = judged(capsys)
    assert code == 1
    assert lines[0].startswith(f"'{FORGED}': only maintainers")


def test_who_opened_a_change_is_asked_where_logins_are_known(clone, capsys):
    """A commit's address can be anybody's word; a login that a server saw cannot."""
    clone.git("switch", "--quiet", "main")
    clone.commit(ADA, **{".github/MAINTAINERS": "Ada <ada@example.org> @ada-l\n"})
    clone.git("switch", "--quiet", "-C", "change")
    clone.commit(ADA, **{FORGED: "{}\n"})
    assert judged(capsys, "--author", "Ada-L")[0] == 0
    code, lines = judged(capsys, "--author", "mallory")
    assert code == 1
    assert lines == [f"'{FORGED}': only maintainers change this; 'mallory' opened the change"]


def test_a_list_of_maintainers_is_read_leniently():
    """Names with addresses go by these, in any case; names alone by themselves; comments are nobody."""
    found = Maintainers.parse("# Eve <eve@x.org>\nAda L. <Ada@X.org> <a@y.org> @ada\n\nBob\n  c@z.org # old\n")
    for person in (Person("?", "ada@x.ORG"), Person("?", "A@y.org"), Person("Bob", "?"), Person("?", "c@z.org")):
        assert found.include(person)
    for name, email in (("Ada L.", "?"), ("Eve", "eve@x.org"), ("bob", "?"), ("", ""), ("@ada", "")):
        assert not found.include(Person(name, email))
    assert found.logins == {"ada"}


def test_findings_command_no_log(clone, capsys):
    """Names of files and people are quoted, escaped and on one line."""
    clone.commit(("::error::\x1b[31m", "x##[error]@y"), **{".github/::error \n##[warning]\u202e": "x\n"})
    code, lines = judged(capsys)
    assert code == 1
    assert len(lines) == 1
    assert lines[0].isascii()
    assert lines[0].isprintable()
    assert "##[" not in lines[0]


def test_what_git_cannot_tell_exits_2(clone, capsys, tmp_path, monkeypatch):
    """Unknown commits, options in their place, histories that share nothing, and clones without all of theirs."""
    for names in (("nowhere", "change"), ("main", "nowhere"), ("main", "HEAD:README.md")):
        assert main(list(names)) == 2
        assert "is no commit of this clone" in capsys.readouterr().err
    assert main(["--", "--help", "change"]) == 2
    clone.git("switch", "--quiet", "--orphan", "other")
    clone.commit(MALLORY, **{"x": "x"})
    assert main(["main", "other"]) == 2
    assert "no common history" in capsys.readouterr().err
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", clone.place.as_uri(), tmp_path / "shallow"], check=True)
    monkeypatch.chdir(tmp_path / "shallow")
    assert main(["HEAD", "HEAD"]) == 2
    assert "fetch all of it" in capsys.readouterr().err


def test_it_runs_as_a_script_without_anything_installed(clone, tmp_path):
    """A copy of the file alone, isolated from every package, as the base branch's workflow calls it."""
    shutil.copy(changes.__file__, tmp_path / "changes.py")
    clone.commit(MALLORY, **{FORGED: "{}\n"})
    command = [sys.executable, "-I", "-S", str(tmp_path / "changes.py"), "main", "change"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(done.stdout.splitlines()) == 1


def test_the_package_imports_nothing_for_it():
    """As a module, in an environment that has neither torch nor numpy."""
    code = "import sys; sys.modules.update(torch=None, numpy=None, pydantic=None); import extramaze.trust.changes"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_workflow_runs_the_bases_copy(root):
    """With read rights, for a request's base, and without a checkout of its head."""
    text = (root / ".github" / "workflows" / "changes.yml").read_text()
    assert "on: pull_request_target\n" in text
    assert "permissions:\n  contents: read\n" in text
    assert text.count("actions/checkout@") == 1
    assert "ref: ${{ github.event.pull_request.base.sha }}" in text
    run = text.partition("run: |")[2]
    assert "python3 -I benchmark/trust/changes.py" in run
    assert "${{" not in run


def test_the_list_of_maintainers_names_somebody(root):
    """With an address, so that the gate opens for them."""
    found = Maintainers.parse((root / ".github" / "MAINTAINERS").read_text())
    assert found.emails
    assert not found.names
