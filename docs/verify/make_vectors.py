#!/usr/bin/env python3
"""Writes the vectors that verifiers must agree on; the same bytes every time.

`make_vectors.py` writes all of vectors/ anew. `make_vectors.py --large N DIR` makes one case of N
events, to measure with.
"""

import argparse
import base64
import copy
import json
import os
import shutil

from log_maker import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    SECOND,
    START,
    Signer,
    as_lines,
    b64,
    commitment,
    hashes_of,
    leaf_line,
    log,
    made_up,
    root,
    that_left,
    uuid_text,
    with_stored,
    without_content,
    without_personal,
)

NAME = f"idp.example.com/audit/{ORGANIZATION}"
SIGNER = Signer(NAME, "log")
WITNESS = Signer("witness.example.net/w1", "witness")

cases = {}


def case(name, lines, checkpoints, expected="ok", key=SIGNER):
    """Adds a case; `lines` are bytes or lines, `checkpoints` one file or more."""
    assert name not in cases, name
    if not isinstance(lines, bytes):
        lines = as_lines(lines)
    if isinstance(checkpoints, (str, bytes)):
        checkpoints = [checkpoints]
    cases[name] = (lines, checkpoints, key.verifier_key(), expected)


def wrong(position, code, name, lines, checkpoints, key=SIGNER):
    case(f"{code}-{name}", lines, checkpoints, f"position {position}: {code}", key)


def edited(lines, number, **members):
    """The lines with members changed in one; a name with `__` leads into an object."""
    lines = copy.deepcopy(lines)
    for path, value in members.items():
        *way, last = path.split("__")
        inner = lines[number]
        for name in way:
            inner = inner[name]
        inner[last] = value
    return lines


def as_text(line):
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def replaced(lines, number, old, new):
    """The lines with one as text, in which something is replaced."""
    text = as_text(lines[number])
    assert old in text, (old, text)
    return lines[:number] + [text.replace(old, new, 1).encode()] + lines[number + 1 :]


def flipped(text, bit):
    data = bytearray(base64.b64decode(text))
    data[bit // 8] ^= 1 << bit % 8
    return b64(bytes(data))


def renumbered(leaves):
    """Leaves as a forger leaves them: every position right, and the stored hashes made anew."""
    return with_stored([{**leaf, "position": position} for position, leaf in enumerate(leaves)])


def trimmed(content, personal):
    metadata = {"contentBefore": content, "personalDataBefore": personal}
    return {"action": "log.trimmed", "resourceType": None, "resourceId": None, "metadata": metadata}


def erased(leaves, content, personal):
    return [
        without_content(leaf) if position < content else without_personal(leaf) if position < personal else leaf
        for position, leaf in enumerate(leaves)
    ]


def brief(count):
    """A log of which all but the end is erased, so that its file is small."""
    whole = log(count, {count - 2: trimmed(count - 3, count - 3)})
    return whole, with_stored(erased(whole, count - 3, 0))


def sound_sizes():
    case("ok-0", [], SIGNER.checkpoint([]))
    for count in (1, 2, 3):
        leaves = log(count)
        case(f"ok-{count}", with_stored(leaves), SIGNER.checkpoint(leaves))
    for count in (255, 256, 257):
        leaves, lines = brief(count)
        case(f"ok-{count}", lines, SIGNER.checkpoint(leaves))
    leaves = log(6)
    case("ok-tail-not-covered", leaves, SIGNER.checkpoint(leaves, 4))
    notes = [SIGNER.checkpoint(leaves, size) for size in (6, 0, 3, 3, 5)]
    case("ok-checkpoints-in-any-order", leaves, notes)


def sound_content():
    odd = "\0\x01\b\t\n\f\r\x1b\x1f\"\\/\x7f\x80\u2028\ufeff\uffff\U0001f600é"
    metadata = {
        "\U0001f600": "after U+FFFD by code point, before it by UTF-16",
        "\ufffd": odd,
        "": {"b": [], "a": {}, "B": [True, False, None, [1, "1"]]},
        odd: "\u202egnp.exe",
        "=cmd": "\r\nSet-Cookie: a",
        "numbers": [0, -1, 2**53 - 1, 1 - 2**53],
    }
    leaves = log(2, {1: dict(metadata=metadata, resourceId=odd, requestId=odd, agent=odd, action=odd)})
    case("ok-unicode-and-control-characters", leaves, SIGNER.checkpoint(leaves))
    escaped = json.dumps(dict(reversed(leaves[1].items())), indent=1).replace("\n", "\r\t")
    escaped = escaped.replace("agentId", "\\u0061gentId").replace("/", "\\/")
    case("ok-other-spelling", [leaves[0], escaped.encode() + b" \r"], SIGNER.checkpoint(leaves))
    leaves = log(
        6,
        {
            0: dict(resourceType=None, resourceId=None),
            1: dict(resourceType="", resourceId="", requestId="", action=""),
            2: dict(address=None, agent=""),
            3: dict(address="", agent=None),
            4: dict(address=None, agent=None),
            5: dict(agentId=uuid_text(made_up("agent", 1)), usedCredentialId=uuid_text(b"\xff" * 16)),
        },
    )
    case("ok-absent-and-empty", leaves, SIGNER.checkpoint(leaves))
    times = {0: dict(microseconds=0), 1: dict(microseconds=253_402_300_799_999_999, outcome="failure")}
    leaves = log(3, {**times, 2: dict(outOfOrder=True)})
    case("ok-first-and-last-time", leaves, SIGNER.checkpoint(leaves))
    leaves = log(1, {0: dict(metadata=nested(125))})
    case("ok-deep", leaves, SIGNER.checkpoint(leaves))
    leaves = log(1, {0: dict(metadata=filling(65_535))})
    case("ok-longest-entry", leaves, SIGNER.checkpoint(leaves))


def nested(depth):
    """Metadata of so many arrays and objects, itself counted."""
    value = []
    for number in range(depth - 2):
        value = {"a": value} if number % 2 else [value]
    return {"a": value}


def filling(size):
    """Metadata with which the entry of position 0 has that size."""
    empty = 1 + 13 * 4 + 16 + 16 + len("agent.createdsuccessagenta0r0") + 8 + 32 + len('{"a":""}') + 1
    return {"a": "x" * (size - empty)}


def sound_order():
    times = {1: 20 * SECOND, 2: 10 * SECOND, 3: 10 * SECOND - 1, 4: 21 * SECOND, 5: 0}
    special = {position: dict(microseconds=START + time) for position, time in times.items()}
    special[3]["outOfOrder"] = special[5]["outOfOrder"] = True
    leaves = log(6, special)
    case("ok-out-of-order", leaves, SIGNER.checkpoint(leaves))
    for position in (2, 4):
        changed = {**special, position: {**special[position], "outOfOrder": True}}
        leaves = log(6, changed)
        wrong(position, "order-misstated", f"without-reason-{position}", leaves, SIGNER.checkpoint(leaves))
    changed = {**special, 3: {**special[3], "outOfOrder": False}}
    leaves = log(6, changed)
    wrong(3, "order-misstated", "by-a-microsecond", leaves, SIGNER.checkpoint(leaves))
    special = {
        0: dict(microseconds=START + 60 * SECOND),
        1: dict(outOfOrder=True),
        2: dict(outOfOrder=True),
        3: dict(microseconds=START + 50 * SECOND),
        4: {**trimmed(1, 1), "microseconds": START + 50 * SECOND},
        5: dict(microseconds=START, outOfOrder=True),
    }
    leaves = log(6, special)
    case("ok-out-of-order-reason-erased", erased(leaves, 1, 0), SIGNER.checkpoint(leaves))
    special[5]["outOfOrder"] = False
    leaves = log(6, special)
    wrong(5, "order-misstated", "though-some-is-erased", erased(leaves, 1, 0), SIGNER.checkpoint(leaves))


def erasing():
    leaves = log(6, {4: trimmed(3, 2)})
    note = SIGNER.checkpoint(leaves)
    case("ok-content-erased", erased(leaves, 3, 0), note)
    case("ok-content-half-erased", erased(leaves, 1, 2), note)
    case("ok-erased-here-and-there", edited([leaves[0], without_content(leaves[1]), *leaves[2:]], 0), note)
    wrong(3, "content-missing", "past-what-was-announced", erased(leaves, 4, 0), note)
    wrong(3, "personal-data-missing", "past-content", erased(leaves, 2, 5), note)
    alone = leaves[:5] + [without_content(leaves[5])]
    wrong(5, "content-missing", "at-the-end", alone, note)
    alone = [without_content(leaf) for leaf in leaves]
    wrong(0, "content-missing", "everywhere", alone, note)
    both = leaves[:3] + [without_personal(leaves[3]), leaves[4], without_content(leaves[5])]
    wrong(3, "personal-data-missing", "before-content", both, note)
    both = leaves[:3] + [without_content(leaves[3]), leaves[4], without_personal(leaves[5])]
    wrong(3, "content-missing", "before-personal-data", both, note)
    wrong(4, "log-truncated", "with-the-announcement", erased(leaves, 3, 0)[:4], note)
    edit = edited(erased(leaves, 4, 0), 5, event__action="agent.deleted")
    wrong(5, "leaf-mismatch", "before-what-is-missing", edit, note)

    leaves = log(6, {3: trimmed(1, 3), 5: trimmed(2, 0)})
    note = SIGNER.checkpoint(leaves)
    case("ok-personal-data-erased", erased(leaves, 0, 3), note)
    case("ok-announced-twice", erased(leaves, 2, 3), note)
    wrong(2, "content-missing", "below-personal-data", erased(leaves, 3, 3), note)
    wrong(3, "personal-data-missing", "past-what-was-announced", erased(leaves, 2, 4), note)

    leaves = log(6, {4: trimmed(2, 3), 5: trimmed(1, 1)})
    case("ok-announced-less-later", erased(leaves, 2, 3), SIGNER.checkpoint(leaves))

    leaves = log(4)
    note = SIGNER.checkpoint(leaves)
    wrong(0, "content-missing", "unannounced", erased(leaves, 1, 0), note)
    wrong(2, "content-missing", "in-the-middle", leaves[:2] + [without_content(leaves[2]), leaves[3]], note)
    wrong(0, "personal-data-missing", "unannounced", erased(leaves, 0, 1), note)

    leaves = log(6, {2: trimmed(2**53 - 1, 2**53 - 1)})
    note = SIGNER.checkpoint(leaves)
    case("ok-announced-up-to-itself", erased(leaves, 2, 0), note)
    wrong(2, "content-missing", "announced-beyond-itself", [*leaves[:2], without_content(leaves[2]), *leaves[3:]], note)
    # Then nothing announces it: the announcement itself is gone.
    wrong(0, "content-missing", "with-the-announcement", erased(leaves, 3, 0), note)
    late = leaves[:3] + [without_content(leaves[3])] + leaves[4:]
    wrong(3, "content-missing", "announced-for-the-future", late, note)
    late = leaves[:3] + [without_personal(leaves[3])] + leaves[4:]
    wrong(3, "personal-data-missing", "announced-for-the-future", late, note)
    for name, metadata in (
        ("negative", {"contentBefore": 3, "personalDataBefore": -1}),
        ("string", {"contentBefore": "3", "personalDataBefore": 3}),
        ("true", {"contentBefore": 3, "personalDataBefore": True}),
        ("half", {"contentBefore": 3}),
    ):
        leaves = log(5, {4: {**trimmed(0, 0), "metadata": metadata}})
        lines = erased(leaves, 1, 0)
        wrong(0, "content-missing", f"announced-{name}", lines, SIGNER.checkpoint(leaves))
    leaves = log(5, {4: {**trimmed(3, 3), "action": "log.trim"}})
    wrong(0, "content-missing", "another-action", erased(leaves, 1, 0), SIGNER.checkpoint(leaves))


def forms():
    leaves = log(2)
    note = SIGNER.checkpoint(leaves)

    def bad(name, lines):
        wrong(1, "line-invalid", name, lines, note)

    def bad_member(name, path, value):
        bad(name, edited(leaves, 1, **{path: value}))

    def bad_text(name, old, new):
        bad(name, replaced(leaves, 1, old, new))

    bad("empty", [leaves[0], b"", *leaves[1:]])
    bad("no-json", [leaves[0], b"null and void", *leaves[1:]])
    bad("null", [leaves[0], b"null", *leaves[1:]])
    bad("array", [leaves[0], b"[" + as_text(leaves[1]).encode() + b"]", *leaves[1:]])
    bad("two-objects", [leaves[0], (as_text(leaves[1]) * 2).encode()])
    bad("cut", as_lines(leaves)[:-20])
    bad("no-newline-at-the-end", as_lines(leaves)[:-1])
    bad("not-utf-8", [leaves[0], as_text(leaves[1]).encode().replace(b"curl", b"c\xffrl")])
    bad("byte-order-mark", [leaves[0], b"\xef\xbb\xbf" + as_text(leaves[1]).encode()])
    bad("too-long", [leaves[0], as_text(leaves[1]).encode().ljust(262_145)])
    bad("entry-too-long", [leaves[0], leaf_line(1, metadata=filling(65_536))])
    bad("too-deep", [leaves[0], leaf_line(1, metadata=nested(126))])
    bad("far-too-deep", [leaves[0], b'{"metadata":' + b"[" * 5000 + b"]" * 5000 + b"}"])
    bad_text("raw-control-character", "curl", "c\turl")
    bad_text("lone-surrogate", "curl", "\\ud800")
    bad_text("lone-surrogate-in-metadata", '"metadata":{}', '"metadata":{"a":"\\udc00\\ud800"}')
    bad_text("lone-surrogate-as-name", '"metadata":{}', '"metadata":{"\\ud800":1}')
    bad_text("member-unknown", '"version":1', '"version":1,"extra":null')
    bad_text("member-unknown-in-event", '"agentId":null', '"agentId":null,"tenant":null')
    bad_text("member-unknown-in-personal", '"salt"', '"pepper":null,"salt"')
    bad_text("member-missing", '"version":1,', "")
    bad_text("member-missing-in-event", '"agentId":null,', "")
    bad_text("member-missing-in-personal", ',"userAgent":"curl/8"', "")
    bad_text("member-doubled", '"version":1', '"version":2,"version":1')
    bad_text("member-doubled-in-event", '"outcome":"success"', '"outcome":"success","\\u006futcome":"success"')
    bad_text("member-doubled-in-personal", '"salt"', '"userAgent":"curl/8","salt"')
    bad_text("member-doubled-in-metadata", '"metadata":{}', '"metadata":{"a":[{"b":1,"b":1}]}')
    for name, number in (
        ("fraction", "1.5"),
        ("fraction-of-zero", "1.0"),
        ("exponent", "1e2"),
        ("minus-zero", "-0"),
        ("too-great", "9007199254740992"),
        ("too-small", "-9007199254740992"),
        ("leading-zero", "01"),
        ("not-a-number", "NaN"),
        ("infinite", "Infinity"),
    ):
        bad_text(f"number-{name}", '"metadata":{}', f'"metadata":{{"a":{number}}}')
    bad_text("position-string", '"position":1', '"position":"1"')
    bad_text("position-fraction", '"position":1', '"position":1.0')
    bad_text("position-negative", '"position":1', '"position":-1')
    bad_text("position-true", '"position":1', '"position":true')
    bad_text("version-true", '"version":1', '"version":true')
    bad_text("version-string", '"version":1', '"version":"1"')
    bad_member("metadata-array", "event__metadata", [])
    bad_member("metadata-null", "event__metadata", None)
    bad_member("out-of-order-number", "event__outOfOrder", 0)
    bad_member("outcome-other", "event__outcome", "Success")
    bad_member("outcome-null", "event__outcome", None)
    bad_member("action-null", "event__action", None)
    bad_member("request-id-number", "event__requestId", 1)
    bad_member("half-a-resource", "event__resourceId", None)
    bad_member("other-half-of-a-resource", "event__resourceType", None)
    id_ = leaves[1]["event"]["eventId"]
    bad_member("event-id-null", "event__eventId", None)
    bad_member("event-id-upper-case", "event__eventId", id_.upper())
    bad_member("event-id-without-hyphens", "event__eventId", id_.replace("-", ""))
    bad_member("event-id-in-braces", "event__eventId", "{" + id_ + "}")
    bad_member("agent-id-empty", "event__agentId", "")
    bad_member("credential-id-short", "event__usedCredentialId", id_[:-1])
    for name, timestamp in (
        ("no-fraction", "2026-11-21T08:00:01Z"),
        ("three-digits", "2026-11-21T08:00:01.000Z"),
        ("nine-digits", "2026-11-21T08:00:01.000000000Z"),
        ("offset", "2026-11-21T08:00:01.000000+00:00"),
        ("lower-case", "2026-11-21t08:00:01.000000z"),
        ("space", "2026-11-21 08:00:01.000000Z"),
        ("no-such-day", "2026-02-29T08:00:01.000000Z"),
        ("leap-second", "2026-12-31T23:59:60.000000Z"),
        ("before-1970", "1969-12-31T23:59:59.999999Z"),
        ("hour-24", "2026-11-21T24:00:00.000000Z"),
    ):
        bad_member(f"timestamp-{name}", "event__timestamp", timestamp)
    for member in ("leafHash", "commitment", "personal__salt"):
        text = leaves[1]
        for name in member.split("__"):
            text = text[name]
        bad_member(f"{member}-without-padding", member, text[:-1])
        bad_member(f"{member}-unused-bits", member, text[:-2] + chr(ord(text[-2]) + 1) + "=")
        bad_member(f"{member}-short", member, b64(base64.b64decode(text)[:31]))
        bad_member(f"{member}-number", member, 0)
    bad_member("leafHash-url-alphabet", "leafHash", "-_" + leaves[1]["leafHash"][2:])
    bad_member("leafHash-null", "leafHash", None)
    bad_member("commitment-null", "commitment", None)
    bad_member("event-null", "event", None)
    bad("personal-left", edited(leaves, 1, event=None, commitment=None))
    bad("commitment-left", edited(leaves, 1, event=None, personal=None))
    bad("only-event-left", edited(leaves, 1, commitment=None, personal=None))
    bad_member("personal-string", "personal", "")
    bad_member("personal-empty", "personal", {})
    bad_member("address-number", "personal__ipAddress", 0)
    hash_ = leaves[0]["leafHash"]
    bad("stored-hash-of-level-0", [leaves[0], {"level": 0, "index": 0, "hash": hash_}, *leaves[1:]])
    bad("stored-hash-with-a-position", [leaves[0], {"level": 1, "index": 0, "hash": hash_, "position": 0}])
    bad("stored-hash-null", [leaves[0], {"level": 1, "index": 0, "hash": None}])
    bad("before-position", edited(edited(leaves, 1, position=5), 1, event__outcome="maybe"))


def positions():
    leaves = log(5)
    note = SIGNER.checkpoint(leaves)
    wrong(2, "position-unexpected", "middle-deleted", leaves[:2] + leaves[3:], note)
    wrong(0, "position-unexpected", "first-deleted", leaves[1:], note)
    wrong(2, "position-unexpected", "doubled", leaves[:2] + leaves[1:], note)
    wrong(1, "position-unexpected", "swapped", [leaves[0], leaves[2], leaves[1], *leaves[3:]], note)
    wrong(1, "position-unexpected", "before-version", edited(edited(leaves, 1, position=4), 1, version=2), note)
    wrong(2, "version-unknown", "2", edited(leaves, 2, version=2), note)
    wrong(2, "version-unknown", "0", edited(leaves, 2, version=0), note)
    relabelled = log(5, {2: dict(version=2)})
    wrong(2, "version-unknown", "2-in-the-entry", relabelled, SIGNER.checkpoint(relabelled))
    wrong(1, "version-unknown", "erased", [leaves[0], edited([without_content(leaves[1])], 0, version=2)[0]], note)
    foreign = log(5, {3: dict(organizationId=OTHER_ORGANIZATION)})
    wrong(3, "organization-foreign", "signed", foreign, SIGNER.checkpoint(foreign))
    wrong(3, "organization-foreign", "edited", edited(leaves, 3, event__organizationId=OTHER_ORGANIZATION), note)
    twice = log(5, {4: dict(eventId=leaves[1]["event"]["eventId"])})
    wrong(4, "event-duplicate", "signed", twice, SIGNER.checkpoint(twice))
    wrong(3, "event-duplicate", "inserted", renumbered(leaves[:3] + leaves[1:]), note)
    wrong(3, "event-duplicate", "edited", edited(leaves, 3, event__eventId=leaves[0]["event"]["eventId"]), note)


def edits():
    leaves = log(5, {2: dict(resourceType=None, resourceId=None, metadata={"a": [1]}, agentId=uuid_text(b"a" * 16))})
    note = SIGNER.checkpoint(leaves)
    other = uuid_text(made_up("other", 0))
    for name, member, value in (
        ("event-id", "eventId", other),
        ("agent-id", "agentId", other),
        ("agent-id-removed", "agentId", None),
        ("action", "action", "agent.deleted"),
        ("outcome", "outcome", "failure"),
        ("request-id", "requestId", "r3"),
        ("timestamp", "timestamp", "2026-11-21T08:00:02.000001Z"),
        ("timestamp-by-an-hour", "timestamp", "2026-11-21T07:00:02.000000Z"),
        ("credential-id", "usedCredentialId", other),
        ("metadata", "metadata", {"a": [2]}),
        ("metadata-member", "metadata", {"a": [1], "b": None}),
        ("out-of-order", "outOfOrder", True),
    ):
        wrong(2, "leaf-mismatch", name, edited(leaves, 2, **{f"event__{member}": value}), note)
    wrong(3, "leaf-mismatch", "resource-type", edited(leaves, 3, event__resourceType="client"), note)
    wrong(3, "leaf-mismatch", "resource-id", edited(leaves, 3, event__resourceId="a2"), note)
    there = edited(edited(leaves, 2, event__resourceType=""), 2, event__resourceId="")
    wrong(2, "leaf-mismatch", "absent-made-empty", there, note)
    gone = edited(edited(leaves, 3, event__resourceType=None), 3, event__resourceId=None)
    wrong(3, "leaf-mismatch", "resource-removed", gone, note)
    moved = edited(edited(leaves, 3, event__resourceType="agenta"), 3, event__resourceId="3")
    wrong(3, "leaf-mismatch", "across-fields", moved, note)
    for bit in (0, 255):
        flip = edited(leaves, 2, leafHash=flipped(leaves[2]["leafHash"], bit))
        wrong(2, "leaf-mismatch", f"hash-bit-{bit}", flip, note)
    swapped = edited(edited(leaves, 1, event=leaves[2]["event"]), 2, event=leaves[1]["event"])
    wrong(1, "leaf-mismatch", "events-swapped", swapped, note)
    anew = commitment(made_up("salt", 2), "192.0.2.8", "curl/8")
    anew = edited(edited(leaves, 2, commitment=b64(anew)), 2, personal__ipAddress="192.0.2.8")
    wrong(2, "leaf-mismatch", "committed-anew", anew, note)
    unknown = log(5, {4: trimmed(0, 3)})
    flip = erased(unknown, 0, 3)
    flip = edited(flip, 2, commitment=flipped(flip[2]["commitment"], 7))
    wrong(2, "leaf-mismatch", "commitment-without-personal-data", flip, SIGNER.checkpoint(unknown))
    wrong(4, "leaf-mismatch", "past-the-checkpoint", edited(leaves, 4, event__requestId="r"), SIGNER.checkpoint(leaves, 3))
    personal = log(5, {2: dict(address=None)})
    note = SIGNER.checkpoint(personal)
    for name, number, member, value in (
        ("address", 1, "ipAddress", "192.0.2.8"),
        ("address-removed", 1, "ipAddress", None),
        ("address-made-empty", 2, "ipAddress", ""),
        ("user-agent", 1, "userAgent", "curl/9"),
        ("salt", 1, "salt", flipped(personal[1]["personal"]["salt"], 100)),
    ):
        wrong(number, "commitment-mismatch", name, edited(personal, number, **{f"personal__{member}": value}), note)
    flip = edited(personal, 3, commitment=flipped(personal[3]["commitment"], 0))
    wrong(3, "commitment-mismatch", "bit", flip, note)
    both = edited(edited(personal, 1, personal__ipAddress="a"), 1, event__action="b")
    wrong(1, "commitment-mismatch", "before-leaf", both, note)


def stored_hashes():
    leaves, lines = brief(259)
    note = SIGNER.checkpoint(leaves)
    place = next(number for number, line in enumerate(lines) if "level" in line)
    stored = lines[place]

    def bad(position, name, changed, checkpoint=note):
        wrong(position, "stored-hash-mismatch", name, changed, checkpoint)

    bad(0, "bit", edited(lines, place, hash=flipped(stored["hash"], 9)))
    bad(0, "missing", lines[:place] + lines[place + 1 :])
    bad(0, "late", lines[:place] + [lines[place + 1], stored] + lines[place + 2 :])
    bad(0, "index", edited(lines, place, index=1))
    bad(258, "surplus", lines[:-1] + [{"level": 9, "index": 2**53 - 1, "hash": stored["hash"]}, lines[-1]])
    flip = edited(lines, 7, leafHash=flipped(lines[7]["leafHash"], 9))
    bad(0, "of-an-erased-leaf", flip)
    wrong(0, "root-mismatch", "before-the-stored-hash", flip, [note, SIGNER.checkpoint(leaves, 100)])
    whole, short = brief(256)
    bad(0, "missing-at-the-end", short[:-1], SIGNER.checkpoint(whole))
    bad(0, "missing-at-the-cut", lines[:place])
    flip = edited(short, 200, leafHash=flipped(short[200]["leafHash"], 9))
    notes = [SIGNER.checkpoint(whole), SIGNER.checkpoint(whole, 150)]
    bad(0, "before-the-root", flip, notes)
    whole, second = brief(513)
    last = max(number for number, line in enumerate(second) if "level" in line)
    changed = edited(second, last, hash=flipped(second[last]["hash"], 255))
    bad(256, "second", changed, SIGNER.checkpoint(whole))
    invalid = lines[:place] + [b"{}"] + lines[place + 1 :]
    wrong(256, "line-invalid", "before-the-stored-hash", invalid, note)


def roots():
    leaves = log(6)
    note, older = SIGNER.checkpoint(leaves), SIGNER.checkpoint(leaves, 2)
    rewritten = log(6, {3: dict(action="agent.deleted")})
    wrong(0, "root-mismatch", "rewritten", rewritten, note)
    wrong(2, "root-mismatch", "rewritten-after-a-checkpoint", rewritten, [note, older])
    wrong(0, "root-mismatch", "rewritten-before-a-checkpoint", log(6, {1: dict(requestId="r")}), [note, older])
    forged = leaf_line(3, eventId=uuid_text(made_up("forged", 0)))
    wrong(2, "root-mismatch", "inserted", renumbered(leaves[:3] + [forged] + leaves[3:]), [older, note])
    late = [*leaves[:3], *leaves[4:], *log(8)[6:]]
    wrong(2, "root-mismatch", "deleted", renumbered(late), [older, note])
    wrong(2, "root-mismatch", "swapped", renumbered([*leaves[:3], leaves[4], leaves[3], leaves[5]]), [older, note])
    whole = log(6, {5: trimmed(4, 4)})
    flip = erased(whole, 4, 0)
    flip = edited(flip, 3, leafHash=flipped(flip[3]["leafHash"], 77))
    wrong(0, "root-mismatch", "hash-of-an-erased-leaf", flip, SIGNER.checkpoint(whole))
    fork = SIGNER.checkpoint(rewritten)
    wrong(2, "root-mismatch", "fork", leaves, [older, note, fork])
    wrong(2, "root-mismatch", "fork-in-json-lines", leaves, [older, that_left(note) + that_left(fork)])
    nothing = SIGNER.note(0, made_up("root", 0))
    wrong(0, "root-mismatch", "of-nothing", leaves, [nothing, note])
    wrong(6, "log-truncated", "greatest", leaves, [note, SIGNER.checkpoint(log(7))])
    wrong(4, "log-truncated", "tail", leaves[:4], [older, note])
    wrong(0, "log-truncated", "all", [], note)
    wrong(3, "log-truncated", "edit-in-the-tail", leaves[:3], note)
    behind = edited(leaves, 4, event__requestId="r")
    wrong(0, "root-mismatch", "before-a-later-edit", behind, SIGNER.note(3, made_up("root", 3)))


def notes():
    leaves = log(1)
    good = SIGNER.checkpoint(leaves)
    hash_ = root(hashes_of(leaves))
    text, _, signatures = good.partition("\n\n")
    text += "\n"

    def bad(name, checkpoints, key=SIGNER, lines=leaves):
        wrong(0, "checkpoint-invalid", name, lines, checkpoints, key)

    def resigned(new_text, signer=SIGNER):
        return new_text + "\n" + signer.line(new_text)

    case("ok-witnesses", leaves, text + "\n" + WITNESS.line("else") + signatures + WITNESS.line(text))
    same_name, same_id = Signer(NAME, "rotated"), Signer("elsewhere.example.com", "id")
    same_id.id = SIGNER.id
    more = "".join(signer.line("something else") for signer in (same_name, same_id)) + WITNESS.line(text) * 14
    case("ok-many-signatures", leaves, text + "\n" + more + signatures)
    case("ok-signed-twice", leaves, good + SIGNER.line(text))
    case("ok-long-foreign-signature", leaves, good + f"\u2014 w {b64(b'x' * 5000)}\n")

    encoded = signatures.split(" ")[2].strip()
    for bit in (32, 287, 300, 543):
        bad(f"signature-bit-{bit}", good.replace(encoded, flipped(encoded, bit)))
    bad("key-id-bit", good.replace(encoded, flipped(encoded, 0)))
    bad("root-bit", good.replace(b64(hash_), flipped(b64(hash_), 3)))
    bad("size-edited", good.replace("\n1\n", "\n2\n"))
    bad("wrong-key", good, key=same_name)
    bad("other-signer", resigned(text, same_name))
    bad("no-signature-by-the-key", resigned(text, WITNESS))
    bad("one-of-two-signatures", good + SIGNER.line("something else"))
    other = f"idp.example.com/audit/{OTHER_ORGANIZATION}"
    bad("other-origin", resigned(text.replace(NAME, other)))
    bad("other-log", Signer(other, "log").checkpoint(leaves))
    bad("other-issuer", Signer(NAME.replace("idp", "id"), "log").checkpoint(leaves))
    bad("origin-and-signer-differ", Signer(other, "log").note(1, hash_, origin=NAME))
    bad("more-text", SIGNER.note(1, hash_, more="extension\n"))
    for name, size in (("leading-zero", "01"), ("plus", "+1"), ("minus", "-1"), ("empty", ""), ("space", " 1")):
        bad(f"size-{name}", SIGNER.note(size, hash_))
    bad("size-too-great", SIGNER.note(2**53, hash_))
    bad("size-not-ascii", SIGNER.note("\u0661", hash_))
    bad("root-short", SIGNER.note(1, hash_[:31]))
    bad("root-unused-bits", resigned(text.replace("=\n", "\n").rstrip("\n")[:-1] + "B=\n"))
    bad("no-newline-at-the-end", good[:-1])
    bad("carriage-returns", good.replace("\n", "\r\n"))
    bad("tab", good.replace("\u2014 ", "\u2014\t"))
    bad("hyphen", good.replace("\u2014", "-"))
    bad("no-blank-line", text + signatures)
    bad("no-signatures", text + "\n")
    bad("blank-line-after", good + "\n")
    bad("words-after", good + "that is all\n")
    bad("foreign-signature-no-base64", good + "\u2014 witness.example.net aGVsbG8\n")
    bad("foreign-signature-empty", good + f"\u2014 witness.example.net {b64(b'1234')}\n")
    bad("foreign-name-with-plus", good + f"\u2014 witness+1 {b64(b'12345')}\n")
    bad("not-utf-8", good.encode() + WITNESS.line(text).encode().replace(b"witness", b"w\xfftness"))
    bad("control-character", good + Signer("w\x01tness", "witness").line(text))
    bad("signature-short", good.replace(encoded, b64(base64.b64decode(encoded)[:-1])))
    bad("signature-long", good.replace(encoded, b64(base64.b64decode(encoded) + b"\0")))
    case("ok-empty-checkpoint-file", leaves, ["", good])
    bad("only-a-newline", "\n")
    bad("byte-order-mark", "\ufeff" + good)
    bad("second-of-two", [good, good[:-9] + "\n"])
    bad("before-line-invalid", good.replace("\n1\n", "\n4\n"), lines=[b"{}"])


def left():
    leaves = log(6)
    note, older = SIGNER.checkpoint(leaves), SIGNER.checkpoint(leaves, 2)
    other = Signer(f"idp.example.com/audit/{OTHER_ORGANIZATION}", "log").checkpoint(leaves, 5)
    said = {"type": "acknowledgement", "organizationId": ORGANIZATION, "reason": "restored", "at": "2026-11-21T08:00:00.000000Z"}
    said = json.dumps(said) + "\n"
    beside = '{"level":"info","took":0.5,"message":"sequenced"}\n{"type":"event","size":-1.5e9}\n'
    case("ok-json-lines", leaves, that_left(older) + beside + that_left(other, OTHER_ORGANIZATION) + that_left(note))
    case("ok-json-lines-without-newline-at-the-end", leaves, (that_left(older) + that_left(note))[:-1])
    case("ok-json-lines-and-notes", leaves, [that_left(older), note])
    case("ok-json-lines-acknowledgement", leaves, that_left(older) + said + that_left(note))
    case("ok-json-lines-torn", leaves, that_left(older) + that_left(note)[:60] + "\n" + that_left(note))
    case("ok-json-lines-torn-at-the-end", leaves, that_left(older) + that_left(note) + that_left(note)[:60])
    lost = SIGNER.checkpoint(log(5, {3: dict(requestId="lost")}))
    before = that_left(older) + that_left(lost) + said + that_left(note)
    wrong(2, "root-mismatch", "before-an-acknowledgement", leaves, before)
    wrong(6, "log-truncated", "before-an-acknowledgement", leaves, that_left(SIGNER.checkpoint(log(9))) + said + that_left(note))

    def bad(name, lines):
        wrong(0, "checkpoint-invalid", f"json-lines-{name}", leaves, that_left(older) + lines)

    bad("size", that_left(note, size=5))
    bad("size-string", that_left(note, size="6"))
    bad("root", that_left(note, rootHash=b64(made_up("root", 0))))
    bad("signature", that_left(note.replace("\n6\n", "\n5\n")))
    bad("surrogate", that_left(note, at="@").replace("@", "\\ud800"))
    bad("torn-and-continued", that_left(note)[:60] + that_left(note))
    bad("empty-line", "\n" + that_left(note))
    bad("too-long", json.dumps({"type": "event", "text": "x" * 262_144}) + "\n")
    bad("torn-and-too-long", '{"type":"event","text":"' + "x" * 262_144 + "\n")
    bad("array", "[]\n")
    bad("member-missing", json.dumps({"type": "checkpoint", "organizationId": ORGANIZATION, "size": 6}) + "\n")
    bad("organization-upper-case", that_left(note, ORGANIZATION.upper()))
    bad("other-organization", that_left(note) + that_left(other))
    bad("note-inside", note)


def write_case(folder, lines, checkpoints, key, expected):
    notes = os.path.join(folder, "checkpoints")
    os.makedirs(notes)
    files = {"export.ndjson": lines, "key": f"{key}\n".encode(), "expected": f"{expected}\n".encode()}
    for number, content in enumerate(checkpoints, 1):
        content = content if isinstance(content, bytes) else content.encode()
        files[os.path.join("checkpoints", str(number))] = content
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


def make_all(folder):
    for group in (sound_sizes, sound_content, sound_order, erasing, forms, positions):
        group()
    for group in (edits, stored_hashes, roots, notes, left):
        group()
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in cases.items():
        write_case(os.path.join(folder, name), *content)


def make_large(count, folder):
    metadata = {"name": "agent", "scopes": ["agents:read", "agents:write"], "version": 7}
    leaves = log(count, metadata=metadata, agentId=uuid_text(made_up("agent", 0)))
    lines = as_lines(with_stored(leaves))
    checkpoints = [SIGNER.checkpoint(leaves, count // 2), SIGNER.checkpoint(leaves)]
    write_case(folder, lines, checkpoints, SIGNER.verifier_key(), "ok")


def main():
    parser = argparse.ArgumentParser(description="Writes the vectors of the audit log's format.")
    parser.add_argument("--large", nargs=2, metavar=("N", "DIR"), help="one case of N events instead")
    given = parser.parse_args()
    if given.large:
        make_large(int(given.large[0]), given.large[1])
    else:
        make_all(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors"))


if __name__ == "__main__":
    main()
