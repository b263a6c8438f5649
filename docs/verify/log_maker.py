"""Makes logs, checkpoints and exports as ../audit-format.md says, for make_vectors.py.

It shares nothing with verify.py, so that a mistake in one of the two shows.
"""

import base64
import hashlib
import json
import struct
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORGANIZATION = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4d"
OTHER_ORGANIZATION = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4e"
START = 1_795_248_000_000_000  # 2026-11-21T08:00:00Z
SECOND = 1_000_000


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


def made_up(what, number):
    """Bytes that look random and are always the same."""
    return digest(f"{what} {number}".encode())


def uuid_text(data):
    text = data[:16].hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def event_id(position):
    """A UUID of version 7, one second after the one before."""
    milliseconds = (START // 1000 + 1000 * position).to_bytes(6, "big")
    noise = made_up("event", position)
    return uuid_text(
        milliseconds + bytes((0x70 | noise[0] & 15, noise[1], 0x80 | noise[2] & 63)) + noise[3:10]
    )


def timestamp_text(microseconds):
    seconds, fraction = divmod(microseconds, SECOND)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:06d}Z"


# The encoding


def text_of(string):
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    characters = []
    for character in string:
        if character in short:
            characters.append(short[character])
        elif ord(character) < 32:
            characters.append("\\u00" + bytes([ord(character)]).hex())
        else:
            characters.append(character)
    return '"' + "".join(characters) + '"'


def canonical(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:d}"
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    # The order of UTF-32 as bytes is the order by code point.
    names = sorted(value, key=lambda name: name.encode("utf-32-be"))
    return "{" + ",".join(text_of(name) + ":" + canonical(value[name]) for name in names) + "}"


def absent_or(content):
    if content is None:
        return struct.pack(">I", 0xFFFFFFFF)
    if isinstance(content, str):
        content = content.encode()
    return struct.pack(">I", len(content)) + content


def uuid_bytes(text):
    return None if text is None else bytes.fromhex("".join(text.split("-")))


def commitment(salt, address, agent):
    return digest(b"\x01", absent_or(salt), absent_or(address), absent_or(agent))


def entry(event, committed, microseconds, version=1):
    fields = (
        uuid_bytes(event["eventId"]),
        uuid_bytes(event["organizationId"]),
        uuid_bytes(event["agentId"]),
        event["action"],
        event["outcome"],
        event["resourceType"],
        event["resourceId"],
        event["requestId"],
        struct.pack(">Q", microseconds),
        uuid_bytes(event["usedCredentialId"]),
        committed,
        canonical(event["metadata"]),
        b"\x01" if event["outOfOrder"] else b"\x00",
    )
    return bytes([version]) + b"".join(map(absent_or, fields))


def leaf_hash(entry_bytes):
    return digest(b"\x00", entry_bytes)


def root(hashes):
    """The root as RFC 9162 defines it, by splitting."""
    if not hashes:
        return digest()
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << (len(hashes) - 1).bit_length() - 1
    return digest(b"\x01", root(hashes[:left]), root(hashes[left:]))


# A log


def leaf_line(position, *, version=1, microseconds=None, salt=None, address="192.0.2.7", agent="curl/8", **event):
    """The line of an event, all of which follows from the position unless it is said otherwise."""
    if microseconds is None:
        microseconds = START + position * SECOND
    if salt is None:
        salt = made_up("salt", position)
    whole = {
        "eventId": event_id(position),
        "organizationId": ORGANIZATION,
        "agentId": None,
        "action": "agent.created",
        "outcome": "success",
        "resourceType": "agent",
        "resourceId": f"a{position}",
        "requestId": f"r{position}",
        "timestamp": timestamp_text(microseconds),
        "usedCredentialId": None,
        "metadata": {},
        "outOfOrder": False,
    }
    assert event.keys() <= whole.keys(), event
    whole.update(event)
    committed = commitment(salt, address, agent)
    return {
        "position": position,
        "version": version,
        "leafHash": b64(leaf_hash(entry(whole, committed, microseconds, version))),
        "commitment": b64(committed),
        "personal": {"salt": b64(salt), "ipAddress": address, "userAgent": agent},
        "event": whole,
    }


def log(count, special=None, **everywhere):
    """The leaf lines of a log; `special` has what differs, by position."""
    special = special or {}
    return [leaf_line(position, **{**everywhere, **special.get(position, {})}) for position in range(count)]


def hashes_of(leaves):
    return [base64.b64decode(leaf["leafHash"]) for leaf in leaves]


def with_stored(leaves):
    """The lines of an export: the leaves, and the stored hashes where they are due."""
    lines, levels = [], [[]]
    for number, (leaf, hash_) in enumerate(zip(leaves, hashes_of(leaves)), 1):
        lines.append(leaf)
        levels[0].append(hash_)
        level = 0
        while number % 256 ** (level + 1) == 0:
            if len(levels) == level + 1:
                levels.append([])
            levels[level + 1].append(root(levels[level][-256:]))
            level += 1
            stored = {"level": level, "index": len(levels[level]) - 1, "hash": b64(levels[level][-1])}
            lines.append(stored)
    return lines


def without_content(leaf):
    return {**leaf, "commitment": None, "personal": None, "event": None}


def without_personal(leaf):
    return {**leaf, "personal": None}


def as_lines(lines):
    """The export as bytes; a line may already be bytes, without its newline."""
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode())
        + b"\n"
        for line in lines
    )


# Checkpoints


class Signer:
    """A key that signs under a name."""

    def __init__(self, name, seed):
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(made_up("key", seed))
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = digest(name.encode(), b"\n\x01", self.public)[:4]

    def verifier_key(self):
        return "+".join((self.name, self.id.hex(), b64(b"\x01" + self.public)))

    def line(self, text):
        return f"\u2014 {self.name} {b64(self.id + self.private.sign(text.encode()))}\n"

    def note(self, size, hash_, origin=None, more=""):
        text = f"{origin or self.name}\n{size}\n{b64(hash_)}\n{more}"
        return text + "\n" + self.line(text)

    def checkpoint(self, leaves, size=None):
        size = len(leaves) if size is None else size
        return self.note(size, root(hashes_of(leaves[:size])))


def that_left(note, organization=ORGANIZATION, **changed):
    """The line of JSON in which a checkpoint leaves the server."""
    size, hash_ = note.split("\n")[1:3]
    line = {
        "type": "checkpoint",
        "organizationId": organization,
        "size": int(size),
        "rootHash": hash_,
        "checkpoint": note,
        "at": timestamp_text(START),
    }
    line.update(changed)
    return json.dumps(line, ensure_ascii=False) + "\n"
