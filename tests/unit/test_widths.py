"""Any text of a user on a terminal: it obeys nothing of it, takes the columns that are counted, and is cut."""

import unicodedata

import pytest

from encoderfile.runtime.widths import cut, harmless, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("one\ntwo\tthree\r", "one\\ntwo\\tthree\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u2066c\u2069", "a\\u202eb\\u2066c\\u2069"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\ud800", "\\ud800"),
        ("\ue000\ufeff", "\\ue000\\ufeff"),
    ],
    ids=["escapes", "control", "C1", "direction", "separators", "a surrogate", "private use and a mark"],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_what_languages_need_stays_as_it_is() -> None:
    for text in ("naïve café", "日本語", "می\u200cخواهم", "क्\u200dष", "👨\u200d👩\u200d👧", "e\u0301", "שלום"):
        assert harmless(text) == text


def test_spaces_of_any_kind_are_shown_as_spaces() -> None:
    assert harmless("a\xa0b\u3000c\u2009d") == "a b  c d"


def test_a_pile_of_marks_is_cut_down() -> None:
    assert harmless("a" + "\u0301" * 1000 + "b") == "a" + "\u0301" * 4 + "b"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("😀", 2), ("한", 2), ("\u1112\u1161\u11ab", 2), ("ﾊﾝ", 2), ("", 0)],
)
def test_characters_take_the_columns_that_terminals_give_them(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("long words", 6, "long…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("text", 1, "…"),
        ("text", 0, ""),
    ],
)
def test_a_long_text_is_cut_between_characters(text: str, columns: int, shown: str) -> None:
    assert cut(text, columns) == shown
    assert width(shown) <= columns


def test_nothing_of_unicode_gets_through_that_is_no_character_to_see() -> None:
    every = (chr(code) for code in range(0x110000))
    through = {each for each in every if harmless(each) == each and not each.isprintable()}
    assert through == {"\u200c", "\u200d"}
    assert all(unicodedata.category(each) == "Cf" for each in through)
