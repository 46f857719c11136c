"""What is noted of answers: whole, by their keys alone, and only while they are asked for."""

from __future__ import annotations

from pathlib import Path

from dapflow.known_answers import KnownAnswers, key_of

ONE, OTHER = key_of("one"), key_of("other")


def known(root: Path) -> tuple[object, object]:
    answers = KnownAnswers(root, "numbers")
    return answers.get(ONE), answers.get(OTHER)


def test_of_two_commands_at_once_the_last_one_notes_its_answers_whole(tmp_path: Path) -> None:
    first, second = KnownAnswers(tmp_path, "numbers"), KnownAnswers(tmp_path, "numbers")
    first.put(ONE, "1")
    second.put(OTHER, "2")
    first.write()
    assert known(tmp_path) == (1, None)
    second.write()
    assert known(tmp_path) == (None, 2)


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    both = KnownAnswers(tmp_path, "numbers")
    both.put(ONE, "1")
    both.put(OTHER, "2")
    both.write()
    later = KnownAnswers(tmp_path, "numbers")
    assert later.get(OTHER) == 2
    later.write()
    assert known(tmp_path) == (None, 2)


def test_parts_of_a_key_are_told_apart() -> None:
    keys = [key_of("a", "b"), key_of("ab", ""), key_of("a", ["b"]), key_of("a", '["b"]'), key_of("a"), key_of()]
    assert len(set(keys)) == len(keys)
