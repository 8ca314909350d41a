"""Foreign text does nothing where it is printed but show itself."""

import json
import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extramaze.core.escapes import (
    for_html,
    for_markdown,
    for_terminal,
    for_xml,
    json_for_terminal,
    lines_for_terminal,
)

ANY = st.text(st.characters())  # lone surrogates too, as names of files have them
HOSTILE = st.text(st.sampled_from("\n\r\x1b\u2028\u202e\u200b\u3164:#[]|`<>&*_\\$@/ .wa1"), max_size=30)


@given(ANY | HOSTILE)
def test_a_terminal_gets_one_line_without_controls(text):
    """Nothing that is not printable, and no line that a CI's runner takes for a command, whatever is written."""
    shown = for_terminal(text)
    assert shown.isprintable()
    assert all(unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp", "Cs") for sign in shown)
    for line in (shown, f"  {shown}"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dt-net-thin@0: 83.3 %, it’s Ö·κ – fine", "dt-net-thin@0: 83.3 %, it’s Ö·κ – fine"),
        ("a::b ## c", "a::b ## c"),
        ("::error title=x::y", r":\:error title=x::y"),
        ("  ::error", r"  :\:error"),
        ("x ##[error]y ##vso[task.complete]", r"x #\#[error]y #\#vso[task.complete]"),
        ("a\x1b[31m\u202eb\n\u2800", r"a\x1b[31m\u202eb\n\u2800"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_a_terminal_shows(text, shown):
    """Plain text as it is; what would act, written out."""
    assert for_terminal(text) == shown


@given(HOSTILE)
def test_escaped_text_stays_what_it_is(text):
    """Escaped once more it is the same, so that whole lines may be escaped around it."""
    assert lines_for_terminal(for_terminal(text)) == for_terminal(text)


@given(HOSTILE)
def test_markdown_has_no_sign_that_is_not_escaped(text):
    """Every sign of the markup stands behind a backslash, and no address becomes a link."""
    shown = for_markdown(text).replace("@<!-- -->", "@")
    assert "\n" not in shown
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)
    assert not re.search(r"[\\`*_{}\[\]<>|~$&#]|www\.|://", bare)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("![x](http://evil)", r"!\[x\](http\://evil)"),
        ("`rm`", r"\`rm\`"),
        ("www.evil.com", r"www\.evil.com"),
        ("@everyone", "@<!-- -->everyone"),
        ("dt-net-thin@0", "dt-net-thin@0"),
    ],
)
def test_what_markdown_holds(text, shown):
    """Tables, tags, links, pictures, code, addresses and mentions are text."""
    assert for_markdown(text) == shown


@given(ANY)
def test_html_has_no_tag_and_xml_can_be_read(text):
    """Between tags and in attributes; what XML has no way to say is written out."""
    assert not set(for_html(text)) & set("<>\"'")
    element = ElementTree.Element("e", a=for_xml(text))
    element.text = for_xml(text)
    found = ElementTree.fromstring(ElementTree.tostring(element, encoding="unicode"))
    assert found.text == (for_xml(text) or None)


@given(st.dictionaries(ANY, HOSTILE | st.just("##[error]")))
def test_json_stays_the_same_content(content):
    """No runner's command stands in it, and whoever reads it reads what was written."""
    text = json_for_terminal(json.dumps(content, indent=1))
    assert json.loads(text) == content
    assert not re.search(r"##\w*\[", text)
