#!/usr/bin/env python3
"""Verifies an export of an audit log against checkpoints, as ../audit-format.md says.

Written from that document alone, so that it shares nothing with the server but the words there.
Needs Python 3.9 and the package `cryptography`. README.md says how to use it.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import itertools
import json
import os
import re
import struct
import sys
from array import array
from bisect import bisect_left
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LONGEST_LINE = 262_144
LONGEST_ENTRY = 65_535
GREATEST_INTEGER = 2**53 - 1
DEEPEST = 127
OUT_OF_ORDER_AFTER = 10_000_000

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
)
DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)

LEAF = {"position", "version", "leafHash", "commitment", "personal", "event"}
STORED = {"level", "index", "hash"}
PERSONAL = {"salt", "ipAddress", "userAgent"}
EVENT = {
    "eventId",
    "organizationId",
    "agentId",
    "action",
    "outcome",
    "resourceType",
    "resourceId",
    "requestId",
    "timestamp",
    "usedCredentialId",
    "metadata",
    "outOfOrder",
}

ABSENT = b"\xff\xff\xff\xff"
sha256 = hashlib.sha256
length = struct.Struct(">I").pack


class Unusable(ValueError):
    """The arguments make no sense, or a file cannot be read: nothing can be said of the log."""


class Finding(Exception):
    """The first thing that is wrong."""

    def __init__(self, position: int, code: str, why: str):
        super().__init__(position, code, why)
        self.position, self.code, self.why = position, code, why

    def __str__(self) -> str:
        return f"position {self.position}: {self.code}"


class Malformed(ValueError):
    """A line or a note does not have its form."""


# Text and bytes


def utf8(text) -> bytes:
    if type(text) is not str:
        raise Malformed("a string is expected")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed("a string is not Unicode") from None


def from_base64(text) -> bytes:
    try:
        data = base64.b64decode(utf8(text), validate=True)
    except binascii.Error:
        raise Malformed("Base64 is expected") from None
    # The decoder passes over unused bits and padding that no encoder writes.
    if base64.b64encode(data).decode() != text:
        raise Malformed("Base64 is not in its one form")
    return data


def hash_of(text) -> bytes:
    data = from_base64(text)
    if len(data) != 32:
        raise Malformed("32 bytes in Base64 are expected")
    return data


def uuid_of(text) -> bytes:
    if type(text) is not str or not UUID.fullmatch(text):
        raise Malformed("a UUID in lower case is expected")
    return bytes.fromhex(text.replace("-", ""))


def microseconds_of(text) -> int:
    if type(text) is not str or not TIMESTAMP.fullmatch(text):
        raise Malformed("a timestamp with six digits of fraction is expected")
    try:
        since = (datetime.fromisoformat(text[:-1]) - EPOCH) // MICROSECOND
    except ValueError:
        raise Malformed("there is no such time") from None
    if since < 0:
        raise Malformed("a time before 1970")
    return since


def field(content: bytes) -> bytes:
    return length(len(content)) + content


def optional(value, bytes_of) -> bytes:
    return ABSENT if value is None else field(bytes_of(value))


# JSON


def single_members(pairs: list) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a member is doubled")
    return members


def integer(digits: str) -> int:
    if len(digits) > 17 or digits == "-0":
        raise Malformed("an integer out of range")
    value = int(digits)
    if not -GREATEST_INTEGER <= value <= GREATEST_INTEGER:
        raise Malformed("an integer out of range")
    return value


def no_such_number(text: str):
    raise Malformed("a number that is no integer")


def depth(value) -> int:
    deepest, level = 0, [value]
    while level:
        level = [inner for inner in level if type(inner) in (dict, list)]
        deepest += bool(level)
        level = [
            member
            for inner in level
            for member in (inner.values() if type(inner) is dict else inner)
        ]
    return deepest


decode = json.JSONDecoder(
    object_pairs_hook=single_members,
    parse_int=integer,
    parse_float=no_such_number,
    parse_constant=no_such_number,
).decode
canonical = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def object_of(line: bytes) -> dict:
    try:
        text = line.decode()
        value = decode(text)
    except UnicodeDecodeError:
        raise Malformed("the line is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the line is no JSON: {error.msg}") from None
    except RecursionError:
        raise Malformed("nested too deep") from None
    if type(value) is not dict:
        raise Malformed("the line is no object")
    # Only a line with that many brackets, be they in strings, can be too deep.
    if text.count("{") + text.count("[") > DEEPEST and depth(value) > DEEPEST:
        raise Malformed("nested too deep")
    return value


def members(value, names: set, what: str) -> dict:
    if type(value) is not dict:
        raise Malformed(f"{what} is no object")
    if value.keys() != names:
        raise Malformed(f"{what} has a member too many or too few")
    return value


def count_of(value) -> int:
    if type(value) is not int or value < 0:
        raise Malformed("an integer of 0 or more is expected")
    return value


# Lines of an export


class Leaf:
    """A line of a leaf whose form is right; no more is known of it."""

    __slots__ = (
        "position",
        "version",
        "hash",
        "commitment",
        "entry",
        "opened",
        "event_id",
        "organization",
        "time",
        "action",
        "metadata",
        "out_of_order",
    )

    def __init__(self, line: dict):
        self.position = count_of(line["position"])
        self.version = count_of(line["version"])
        self.hash = hash_of(line["leafHash"])
        self.entry = self.opened = None
        event, personal = line["event"], line["personal"]
        if event is None:
            if personal is not None or line["commitment"] is not None:
                raise Malformed("something is left of an event without content")
            return
        self.commitment = hash_of(line["commitment"])
        if personal is not None:
            self.opened = self.commitment_to(members(personal, PERSONAL, "`personal`"))
        self.read_event(members(event, EVENT, "`event`"))

    @staticmethod
    def commitment_to(personal: dict) -> bytes:
        return sha256(
            b"\x01"
            + field(hash_of(personal["salt"]))
            + optional(personal["ipAddress"], utf8)
            + optional(personal["userAgent"], utf8)
        ).digest()

    def read_event(self, event: dict) -> None:
        if event["outcome"] not in ("success", "failure"):
            raise Malformed("an outcome that does not exist")
        if (event["resourceType"] is None) != (event["resourceId"] is None):
            raise Malformed("half a resource")
        if type(event["metadata"]) is not dict:
            raise Malformed("`metadata` is no object")
        if type(event["outOfOrder"]) is not bool:
            raise Malformed("`outOfOrder` is neither true nor false")
        self.event_id = uuid_of(event["eventId"])
        self.organization = uuid_of(event["organizationId"])
        self.action = event["action"]
        self.time = microseconds_of(event["timestamp"])
        self.metadata = event["metadata"]
        self.out_of_order = event["outOfOrder"]
        self.entry = b"".join(
            (
                b"\x01",
                field(self.event_id),
                field(self.organization),
                optional(event["agentId"], uuid_of),
                field(utf8(self.action)),
                field(utf8(event["outcome"])),
                optional(event["resourceType"], utf8),
                optional(event["resourceId"], utf8),
                field(utf8(event["requestId"])),
                field(self.time.to_bytes(8, "big")),
                optional(event["usedCredentialId"], uuid_of),
                field(self.commitment),
                field(utf8(canonical(self.metadata))),
                b"\0\0\0\1\1" if self.out_of_order else b"\0\0\0\1\0",
            )
        )
        if len(self.entry) > LONGEST_ENTRY:
            raise Malformed("the entry is too long")


class Stored:
    """A line of a stored hash whose form is right."""

    __slots__ = ("level", "index", "hash")

    def __init__(self, line: dict):
        self.level = count_of(line["level"])
        self.index = count_of(line["index"])
        self.hash = hash_of(line["hash"])
        if self.level == 0:
            raise Malformed("stored hashes of level 0 are leaf hashes")


def line_of(raw: bytes) -> Leaf | Stored:
    if len(raw) > LONGEST_LINE + raw.endswith(b"\n"):
        raise Malformed("the line is too long")
    if not raw.endswith(b"\n"):
        raise Malformed("the last line has no end")
    line = object_of(raw)
    if "level" in line:
        return Stored(members(line, STORED, "the line"))
    return Leaf(members(line, LEAF, "the line"))


# Keys and checkpoints


def is_name(text: str) -> bool:
    return bool(text) and "+" not in text and not any(map(str.isspace, text))


class Key:
    """A verifier key, and the organization whose log it signs."""

    def __init__(self, text: str):
        try:
            self.name, key_id, encoded = text.strip().split("+", 2)
            name, typed = utf8(self.name), from_base64(encoded)
        except ValueError:
            raise Unusable("the verifier key has another form") from None
        if not is_name(self.name) or len(typed) != 33 or typed[0] != 1:
            raise Unusable("the verifier key has another form")
        self.id = sha256(name + b"\n" + typed).digest()[:4]
        if self.id.hex() != key_id:
            raise Unusable("the key id is not that of the verifier key")
        _, audit, self.organization_text = self.name.rpartition("/audit/")
        if not audit or not UUID.fullmatch(self.organization_text):
            raise Unusable("the verifier key's name is not that of a log")
        self.organization = uuid_of(self.organization_text)
        try:
            self.public = Ed25519PublicKey.from_public_bytes(typed[1:])
        except ValueError:
            raise Unusable("the verifier key holds no public key") from None

    def verifies(self, signature: bytes, text: bytes) -> bool:
        try:
            self.public.verify(signature, text)
        except InvalidSignature:
            return False
        return True


def note_of(data: bytes, key: Key) -> tuple[int, bytes]:
    """The size and the root that a note states, if the key signed it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Malformed("the note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in text):
        raise Malformed("the note holds control characters")
    lines = text.split("\n")
    if len(lines) < 6 or lines[3] != "" or lines[-1] != "":
        raise Malformed("the note does not have the form of a checkpoint")
    origin, size, root = lines[:3]
    if origin != key.name:
        raise Malformed("the origin is another")
    if not DECIMAL.fullmatch(size) or int(size) > GREATEST_INTEGER:
        raise Malformed("the size is no number")
    stated = int(size), hash_of(root)
    signed = "\n".join(lines[:3] + [""]).encode()
    ours = [line for line in map(signature_of, lines[4:-1]) if line[:2] == (key.name, key.id)]
    if not ours:
        raise Malformed("there is no signature by the key")
    for _, _, signature in ours:
        if not key.verifies(signature, signed):
            raise Malformed("the signature is not the key's")
    return stated


def signature_of(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not is_name(parts[1]):
        raise Malformed("a signature line has another form")
    data = from_base64(parts[2])
    if len(data) < 5:
        raise Malformed("a signature line holds no signature")
    return parts[1], data[:4], data[4:]


def checkpoints_that_left(data: bytes, key: Key):
    """The checkpoints of the key's organization in a file of JSON lines."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for raw in lines:
        if len(raw) > LONGEST_LINE:
            raise Malformed("a line is too long")
        if raw.startswith(b"{") and not raw.endswith(b"}"):
            continue  # What a crash left of a line.
        try:
            line = json.loads(raw.decode(), parse_constant=no_such_number)
            json.dumps(line, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise Malformed("a line is no JSON") from None
        if type(line) is not dict:
            raise Malformed("a line is no object")
        if line.get("type") != "checkpoint":
            continue
        if not {"organizationId", "size", "rootHash", "checkpoint", "at"} <= line.keys():
            raise Malformed("a checkpoint lacks a member")
        uuid_of(line["organizationId"])
        if line["organizationId"] != key.organization_text:
            continue
        size, root = note_of(utf8(line["checkpoint"]), key)
        if type(line["size"]) is not int or line["size"] != size:
            raise Malformed("the size is not the note's")
        if hash_of(line["rootHash"]) != root:
            raise Malformed("the root is not the note's")
        yield size, root


def roots_by_size(files, key: Key) -> dict[int, set[bytes]]:
    """What is known of the log: for each size the roots that were signed for it."""
    known: dict[int, set[bytes]] = {}
    for number, data in enumerate(files, 1):
        try:
            if not data:
                stated = []  # Nothing has left yet.
            elif data.startswith(b"{"):
                stated = list(checkpoints_that_left(data, key))
            else:
                stated = [note_of(data, key)]
        except Malformed as error:
            raise Finding(0, "checkpoint-invalid", f"file {number}: {error}") from None
        for size, root in stated:
            known.setdefault(size, set()).add(root)
    if not known:
        raise Unusable("there is no checkpoint of the organization")
    return known


# The log


class Tree:
    """The Merkle tree: of what is complete, the hash of each full subtree."""

    def __init__(self):
        self.size = 0
        self.full: list[bytes] = []

    def grow(self, node: bytes) -> list[tuple[int, int, bytes]]:
        """Takes a leaf hash; gives level, index and hash of what it completes above level 0."""
        index, height, complete = self.size, 0, []
        while index & 1:
            node = sha256(b"\x01" + self.full.pop() + node).digest()
            index >>= 1
            height += 1
            if height % 8 == 0:
                complete.append((height // 8, index, node))
        self.full.append(node)
        self.size += 1
        return complete

    def root(self) -> bytes:
        if not self.full:
            return sha256().digest()
        root = self.full[-1]
        for left in self.full[-2::-1]:
            root = sha256(b"\x01" + left + root).digest()
        return root


class Ids:
    """A set of 16 bytes each that takes little more room than those."""

    RECENT = 1 << 18

    def __init__(self):
        self.recent: set[bytes] = set()
        self.runs: list[tuple[bytes, bytes, array, array]] = []

    def add(self, new: bytes) -> bool:
        """Whether it is new."""
        if new in self.recent or any(map(self.holds, self.runs, itertools.repeat(new))):
            return False
        self.recent.add(new)
        if len(self.recent) == self.RECENT:
            self.settle(sorted(self.recent))
            self.recent = set()
        return True

    def settle(self, ids: list[bytes]) -> None:
        high = array("Q", (int.from_bytes(each[:8], "big") for each in ids))
        low = array("Q", (int.from_bytes(each[8:], "big") for each in ids))
        self.runs.append((ids[0], ids[-1], high, low))

    @staticmethod
    def holds(run: tuple[bytes, bytes, array, array], wanted: bytes) -> bool:
        first, last, highs, lows = run
        # Ids that grow with time are mostly outside of every earlier run.
        if not first <= wanted <= last:
            return False
        high, low = struct.unpack(">QQ", wanted)
        place = bisect_left(highs, high)
        while place < len(highs) and highs[place] == high:
            if lows[place] == low:
                return True
            place += 1
        return False


class Gaps:
    """Positions at which something is gone, as ranges: there is one in a log that is sound."""

    def __init__(self):
        self.ranges: list[list[int]] = []

    def add(self, position: int) -> None:
        if self.ranges and self.ranges[-1][1] == position:
            self.ranges[-1][1] += 1
        else:
            self.ranges.append([position, position + 1])

    def __str__(self) -> str:
        return ", ".join(f"{first} to {end - 1}" for first, end in self.ranges)

    def __len__(self) -> int:
        return sum(end - first for first, end in self.ranges)

    def first_from(self, limit: int) -> int | None:
        for first, end in self.ranges:
            if end > limit:
                return max(first, limit)
        return None


class Log:
    """The log as far as it was read, without a finding."""

    def __init__(self, key: Key, known: dict[int, set[bytes]]):
        self.key, self.known = key, known
        self.tree = Tree()
        self.fitted = 0
        self.due: list[tuple[int, int, bytes]] = []
        self.ids = Ids()
        self.latest = 0
        self.without_content, self.without_personal = Gaps(), Gaps()
        self.content_before = self.personal_before = 0
        self.compare_root()

    def fail(self, code: str, why: str):
        raise Finding(self.tree.size, code, why)

    def read(self, raw: bytes) -> None:
        try:
            line = line_of(raw)
        except Malformed as error:
            self.fail("line-invalid", str(error))
        if type(line) is Stored:
            self.read_stored(line)
        else:
            self.nothing_due()
            self.read_leaf(line)
        if not self.due:
            self.compare_root()

    def read_stored(self, line: Stored) -> None:
        if not self.due:
            self.fail("stored-hash-mismatch", "there is a stored hash where none is due")
        level, index, node = self.due[0]
        if (line.level, line.index, line.hash) != (level, index, node):
            self.stored_hash_mismatch("is another, or stands elsewhere")
        self.due.pop(0)

    def nothing_due(self) -> None:
        if self.due:
            self.stored_hash_mismatch("is missing")

    def stored_hash_mismatch(self, how: str):
        level, index, _ = self.due[0]
        why = f"the stored hash of level {level} and index {index} {how}"
        raise Finding(index << (8 * level), "stored-hash-mismatch", why)

    def read_leaf(self, leaf: Leaf) -> None:
        position = self.tree.size
        if leaf.position != position:
            self.fail("position-unexpected", f"the line says position {leaf.position}")
        if leaf.version != 1:
            self.fail("version-unknown", f"the line says version {leaf.version}")
        if leaf.entry is None:
            self.without_content.add(position)
            self.without_personal.add(position)
        else:
            self.read_content(leaf, position)
        self.due = self.tree.grow(leaf.hash)

    def read_content(self, leaf: Leaf, position: int) -> None:
        if leaf.organization != self.key.organization:
            self.fail("organization-foreign", "the event is of another organization")
        if not self.ids.add(leaf.event_id):
            self.fail("event-duplicate", f"event {leaf.event_id.hex()} was there before")
        if leaf.opened is None:
            self.without_personal.add(position)
        elif leaf.opened != leaf.commitment:
            self.fail("commitment-mismatch", "the personal data is not what was committed to")
        if sha256(b"\0" + leaf.entry).digest() != leaf.hash:
            self.fail("leaf-mismatch", "the content is not what was hashed")
        self.check_order(leaf)
        if leaf.action == "log.trimmed":
            self.announce(leaf.metadata, position)

    def check_order(self, leaf: Leaf) -> None:
        late = self.latest - leaf.time > OUT_OF_ORDER_AFTER
        if late and not leaf.out_of_order:
            self.fail("order-misstated", "an earlier event is later by more than 10 seconds")
        if leaf.out_of_order and not late and not self.without_content.ranges:
            self.fail("order-misstated", "no earlier event is later by more than 10 seconds")
        self.latest = max(self.latest, leaf.time)

    def announce(self, metadata: dict, position: int) -> None:
        content = metadata.get("contentBefore")
        personal = metadata.get("personalDataBefore")
        if all(type(each) is int and each >= 0 for each in (content, personal)):
            self.content_before = max(self.content_before, min(content, position))
            self.personal_before = max(self.personal_before, min(personal, position))

    def compare_root(self) -> None:
        """Holds the tree against the checkpoints of its size, if there are any."""
        roots = self.known.get(self.tree.size)
        if roots is None:
            return
        if roots != {self.tree.root()}:
            why = f"the root over {self.tree.size} leaves is not the one that was signed"
            raise Finding(self.fitted, "root-mismatch", why)
        self.fitted = self.tree.size

    def end(self) -> None:
        self.nothing_due()
        signed = max(self.known)
        if self.tree.size < signed:
            self.fail("log-truncated", f"a checkpoint says {signed} leaves")
        missing = self.without_content.first_from(self.content_before)
        personal_before = max(self.personal_before, self.content_before)
        missing_personal = self.without_personal.first_from(personal_before)
        # An event without content is without personal data, so the first of the two comes first.
        if missing is not None and (missing_personal is None or missing <= missing_personal):
            why = f"content was only said to go below position {self.content_before}"
            raise Finding(missing, "content-missing", why)
        if missing_personal is not None:
            why = f"personal data was only said to go below position {personal_before}"
            raise Finding(missing_personal, "personal-data-missing", why)


def read_log(lines, checkpoints, key: str) -> Log:
    """Reads all of a log; raises the first finding."""
    key = Key(key)
    log = Log(key, roots_by_size(checkpoints, key))
    for raw in lines:
        log.read(raw)
    log.end()
    return log


def verify(lines, checkpoints, key: str) -> tuple[int, str] | None:
    """The position and the code of the first finding, or None if all is well.

    `lines` gives the lines of the export as bytes, each with its newline; `checkpoints` the
    contents of the files that hold them; `key` is the verifier key. `Unusable` is raised where
    the arguments make no sense.
    """
    try:
        read_log(lines, checkpoints, key)
    except Finding as finding:
        return finding.position, finding.code
    return None


# The program


def lines_of(file):
    """The lines of a file, none of which takes more room than the longest that is allowed."""
    return iter(lambda: file.readline(LONGEST_LINE + 2), b"")


def content_of(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def key_of(path: str) -> str:
    try:
        return content_of(path).decode()
    except UnicodeDecodeError:
        raise Unusable("the verifier key is not UTF-8") from None


def verify_case(folder: str) -> str:
    notes = os.path.join(folder, "checkpoints")
    checkpoints = [content_of(os.path.join(notes, name)) for name in sorted(os.listdir(notes))]
    key = key_of(os.path.join(folder, "key"))
    with open(os.path.join(folder, "export.ndjson"), "rb") as export:
        found = verify(lines_of(export), checkpoints, key)
    return "ok" if found is None else f"position {found[0]}: {found[1]}"


def verify_cases(folder: str) -> int:
    code = 0
    for name in sorted(os.listdir(folder)):
        case = os.path.join(folder, name)
        if not os.path.isdir(case):
            continue
        try:
            print(name, verify_case(case), flush=True)
        except (OSError, Unusable) as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = 2
    return code


def summary(log: Log) -> str:
    content, personal = log.without_content, log.without_personal
    told = (
        f"ok: {log.tree.size} events, {log.fitted} under a checkpoint, "
        f"{log.tree.size - len(content)} with content"
    )
    if content.ranges:
        told += f"; content erased: {content}"
    # Where content is erased personal data is too.
    if personal.ranges != content.ranges:
        told += f"; personal data erased: {personal}"
    return told


def verify_export(export: str, checkpoints: list[str], key: str) -> int:
    key = key_of(key) if os.path.isfile(key) else key
    notes = [content_of(path) for path in checkpoints]
    try:
        if export == "-":
            log = read_log(lines_of(sys.stdin.buffer), notes, key)
        else:
            with open(export, "rb") as file:
                log = read_log(lines_of(file), notes, key)
    except Finding as finding:
        print(f"{finding}\n{finding.why}")
        return 1
    print(summary(log))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Verifies an export of an audit log.")
    parser.add_argument("export", nargs="?", help="the export, or - for standard input")
    parser.add_argument(
        "--checkpoint", action="append", default=[], help="a signed note, or a file of JSON lines"
    )
    parser.add_argument("--key", help="the verifier key, or a file that holds it")
    parser.add_argument("--cases", metavar="DIR", help="verify every case in a folder instead")
    given = parser.parse_args()
    single = given.export is not None and given.checkpoint and given.key is not None
    if given.cases is not None:
        if given.export is not None or given.checkpoint or given.key is not None:
            parser.error("--cases takes no other argument")
    elif not single:
        parser.error("an export, a checkpoint and a key are needed")
    try:
        if given.cases is not None:
            return verify_cases(given.cases)
        return verify_export(given.export, given.checkpoint, given.key)
    except (OSError, Unusable) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
