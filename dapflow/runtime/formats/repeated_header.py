"""The header of a CSV file once more, in the middle of it: behind it, columns may come in another order."""

from __future__ import annotations

import csv
import re

_ASCII = re.compile("[!#-~]*")


def name_of(field: str) -> str:
    """A heading without what may differ when it is repeated."""
    return field.lstrip("\ufeff").strip(' "').lower()


def is_same(header: list[str], fields: list[str]) -> bool:
    """Whether a record is the header, before which each export may put a byte order mark."""
    first = fields[0]
    if first.startswith("\ufeff"):  # behind which a quote opens nothing
        first = first[1:].strip('"')
    return [first, *fields[1:]] == header


def repetition(header: list[str], fields: list[str], *, members: int, skip: int) -> str | None:
    """What is wrong with a record that may be a header once more, in words.

    In a gzip file of several ``members`` headers are expected, and left out where they are the same. ``skip`` is how
    many title lines stand before the first one.
    """
    same, expected = is_same(header, fields), members > 1
    if len(header) == 1:
        return "the line repeats the header, or is a row that looks like it" if same and expected else None
    if not is_header(header, fields):
        return None
    if same and expected:
        return "a member of the gzip file brings title lines of its own" if skip else None
    if same:
        return "the line repeats the header"
    order = "in another order" if list(map(name_of, fields)) != list(map(name_of, header)) else "in another way"
    return f"the line repeats the header {order}"


def is_header(header: list[str], fields: list[str]) -> bool:
    """Whether fields are the names of the header, in whatever order, case and quotes."""
    return len(fields) == len(header) and sorted(map(name_of, fields)) == sorted(map(name_of, header))


class Again:
    """Finds the header once more among plain lines."""

    def __init__(self, header: bytes, delimiter: str) -> None:
        self.delimiter = delimiter
        self.header = self._fields(header)
        # A part of the header that blocks without it rarely have, found quickly: of other letters, bytes know no case.
        self.part = max((part for name in self.header for part in _ASCII.findall(name)), key=len).lower().encode()
        # Lines that begin with one of the names are looked at.
        forms = {form for name in map(name_of, self.header) for form in (name, name.upper(), name.title())}
        begins = b"|".join(re.escape(form.encode()) for form in sorted(forms))
        after = re.escape(delimiter.encode())
        self.begins = re.compile(rb'\n(?:\xef\xbb\xbf)?[ "]*+(?:%b)[ "]*+%b' % (begins, after), re.IGNORECASE)

    def is_in(self, block: bytes) -> bool:
        """Whether one of whole lines is the header."""
        if len(self.header) == 1 or self.part not in block.lower():
            return False
        for match in self.begins.finditer(b"\n" + block):
            line = block[match.start() : block.index(b"\n", match.start())]
            if is_header(self.header, self._fields(line)):
                return True
        return False

    def _fields(self, line: bytes) -> list[str]:
        return next(csv.reader([line.decode()], delimiter=self.delimiter))
