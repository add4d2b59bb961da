"""What persons ruled: these two listings are, or are not, the same film. It beats every algorithm.

Rulings name listings on both sides, never films, so that they survive whatever films become.
They stand in the table `rulings`; those of a CSV file (columns listing_a, listing_b, ruling) are
brought into it, and win over what was ruled on the command line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from pipelines import clock
from pipelines.films import Listed, listed
from pipelines.listings import listing_number
from pipelines.matching.forgetting import forget
from pipelines.matching.spans import OWN_ID, Link, followers, join, leave, link
from pipelines.problem import Problem
from spiders.sources import SOURCES

SAME, DIFFERENT = "same", "different"
FROM_FILE = "the rulings file"
"""Stands as `ruled_by` of what the CSV file says."""

_HEARD = {
    "listing_films": " AND t.method <> 'ruling'",
    "listing_identifiers": "",
    "score_observations": "",
    "credits_verdicts": "",
    "quarantine": "",
    "urls": " AND t.last_outcome IN ('ok', 'not_a_film')",
}
"""What tells of a listing that somebody knows it."""

_RANK = {source.key: rank for rank, source in enumerate(SOURCES)}

_COLUMNS = "listing_a, listing_b, ruling, ruled_by, ruled_at"
"""Of `rulings`, in the order of `Ruling`."""


class Ruling(NamedTuple):
    """A person's decision on two listings (`source:source_id`, the lesser first)."""

    a: str
    b: str
    ruling: str
    ruled_by: str
    ruled_at: str

    @property
    def words(self) -> str:
        """Who ruled, and when."""
        return f"by {self.ruled_by} on {self.ruled_at[:10]}"


@dataclass
class Applied:
    """Which films gained or lost a listing, and which listings were left without a film."""

    films: set[int] = field(default_factory=set)
    listings: set[int] = field(default_factory=set)


def rule(db: Database, a: Listed, b: Listed, ruling: str, ruled_by: str) -> None:
    """Record a ruling in the caller's transaction; listings that are not known yet are made.

    Raises Problem where both sides are one listing.
    """
    first, second = sorted((str(a), str(b)))
    if first == second:
        raise Problem(f"{first} cannot be ruled on with itself")
    at = clock.now()
    for one in (a, b):
        listing_number(db, *one, at)
    _write(db, Ruling(first, second, ruling, ruled_by, at))


def undo(db: Database, a: Listed, b: Listed) -> Ruling | None:
    """Undo what was ruled on two listings on the command line; the last such ruling, if any."""
    first, second = sorted((str(a), str(b)))
    of_them = "listing_a = ? AND listing_b = ? AND undone_at IS NULL AND ruled_by <> ?"
    undone = db.conn.execute(
        f"SELECT {_COLUMNS} FROM rulings WHERE {of_them} ORDER BY ruling_id DESC LIMIT 1",
        (first, second, FROM_FILE),
    ).fetchone()
    db.conn.execute(
        f"UPDATE rulings SET undone_at = ? WHERE {of_them}", (clock.now(), first, second, FROM_FILE)
    )
    return Ruling(*undone) if undone else None


def heard_of(db: Database, one: Listed) -> bool:
    """Whether anything is known of a listing, beside what was ruled on it."""
    told = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} t WHERE t.listing_id = l.listing_id{which})"
        for table, which in _HEARD.items()
    )
    rows = db.conn.execute(
        "SELECT 1 FROM listings l WHERE source = ? AND source_id = ?"
        f" AND (title IS NOT NULL OR {told})",
        one,
    )
    return rows.fetchone() is not None


def forget_unheard(db: Database, one: Listed) -> bool:
    """Forget a listing that was made to be ruled on and of which nothing is known: it was mistyped,
    and would be asked for ever. Only once it is no film, and no ruling that holds names it."""
    named = "(listing_a = ?1 OR listing_b = ?1) AND"
    row = db.conn.execute(
        "SELECT listing_id FROM listings l WHERE source = ?2 AND source_id = ?3"
        f" AND EXISTS (SELECT 1 FROM rulings WHERE {named} ruled_at = l.first_seen_at)"
        f" AND NOT EXISTS (SELECT 1 FROM rulings WHERE {named} undone_at IS NULL)",
        (str(one), *one),
    ).fetchone()
    if row is None or heard_of(db, one):
        return False
    forget(db, row[0])
    return True


def in_force(db: Database) -> list[Ruling]:
    """The rulings that hold: of several on one pair the file's, else the newest."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM rulings WHERE undone_at IS NULL ORDER BY ruled_by = ?, ruling_id",
        (FROM_FILE,),
    )
    return list({row[:2]: Ruling(*row) for row in rows}.values())


def bring_in(db: Database, path: Path | None) -> list[str]:
    """Make the table hold what a CSV file says now, in the caller's transaction; lines that left
    the file are undone, all of them where there is no file any more. Returns what is wrong with
    the file, line by line; the other lines apply.
    """
    said, problems = _read(path) if path else ({}, [])
    at = clock.now()
    before = {
        row[:2]: row[2]
        for row in db.conn.execute(
            "SELECT listing_a, listing_b, ruling FROM rulings WHERE undone_at IS NULL"
            " AND ruled_by = ?",
            (FROM_FILE,),
        )
    }
    for pair in before.keys() - {pair for pair in said if said[pair] == before.get(pair)}:
        db.conn.execute(
            "UPDATE rulings SET undone_at = ? WHERE listing_a = ? AND listing_b = ?"
            " AND undone_at IS NULL AND ruled_by = ?",
            (at, *pair, FROM_FILE),
        )
    for (first, second), ruling in said.items():
        if before.get((first, second)) != ruling:
            for name in (first, second):
                listing_number(db, *_listing(name), at)
            _write(db, Ruling(first, second, ruling, FROM_FILE, at))
    return problems


def _read(path: Path) -> tuple[dict[tuple[str, str], str], list[str]]:
    """The rulings of a file by pair of listings, and what is wrong with it, line by line."""
    problems: list[str] = []
    said: dict[tuple[str, str], str] = {}
    for number, line in _lines(path, problems):
        try:
            first, second, ruling = _ruling_of(line)
        except Problem as fault:
            problems.append(f"{path.name} line {number}: {fault}")
            continue
        if said.setdefault((first, second), ruling) != ruling:
            problems.append(f"{path.name} line {number}: says otherwise than a line before it")
    return said, problems


def _lines(path: Path, problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines of a rulings file with their numbers; its heading and empty lines left out."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    reader = csv.reader(io.StringIO(text.replace("\0", "\ufffd"), newline=""))
    try:
        for line in reader:
            cells = [cell.strip() for cell in line]
            heading = reader.line_num == 1 and cells[:1] == ["listing_a"]
            if any(cells) and not heading and not cells[0].startswith("#"):
                yield reader.line_num, cells
    except csv.Error as fault:
        problems.append(f"{path.name} line {reader.line_num}: {fault}; the rest is not read")


def _ruling_of(cells: list[str]) -> tuple[str, str, str]:
    """The two listings, the lesser first, and the ruling of one line. Raises Problem."""
    if len(cells) < 3:
        raise Problem("expected listing_a, listing_b, ruling")
    ruling = cells[2].casefold()
    if ruling not in (SAME, DIFFERENT):
        raise Problem(f"{cells[2]!r} is no ruling: {SAME} or {DIFFERENT}")
    first, second = sorted(str(_listing(cell)) for cell in cells[:2])
    if first == second:
        raise Problem(f"{first} on both sides")
    return first, second, ruling


def _listing(name: str) -> Listed:
    """Raises Problem where a text names no listing."""
    found = listed(name)
    if found is None:
        raise Problem(f"{name!r} is no listing: expected such as rottentomatoes:m/skyfall")
    return found


def _write(db: Database, ruling: Ruling) -> None:
    db.conn.execute(f"INSERT INTO rulings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", ruling)


# --- what rulings do to matches -------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    """A listing that somebody ruled on, and the film that it is now."""

    listing_id: int
    name: str
    film_id: int | None
    method: str | None
    anchors: bool  # it bears the film's first own id: the film stands or falls with it
    rank: int

    @property
    def firmness(self) -> tuple[bool, bool, bool, bool, int, int]:
        """Sorts first the member whose film the others follow."""
        return (
            self.film_id is None,
            self.method == "ruling",
            not self.anchors,
            self.method == "evidence",
            self.rank,
            self.listing_id,
        )


def apply(db: Database) -> Applied:
    """Make matches follow the rulings, as far as the films are known by now."""
    applied = Applied()
    rulings = in_force(db)
    same = [one for one in rulings if one.ruling == SAME]
    apart = [one for one in rulings if one.ruling == DIFFERENT]
    _let_go_of_undone(db, same, applied)
    _part(db, apart, applied)
    kept_apart = {frozenset((one.a, one.b)) for one in apart}
    for cluster in _clusters(same):
        _bring_together(db, cluster, same, kept_apart, applied)
    return applied


def refuse(db: Database) -> None:
    """Put into `temp.refused` which listings must not be which films."""
    apart = [one for one in in_force(db) if one.ruling == DIFFERENT]
    members = _members(db, {name for one in apart for name in (one.a, one.b)})
    for one in apart:
        if not {one.a, one.b} <= members.keys():
            continue  # somebody forgot a listing
        for this, other in ((one.a, one.b), (one.b, one.a)):
            if members[other].film_id is not None:
                pair = (members[this].listing_id, members[other].film_id)
                db.conn.execute("INSERT OR IGNORE INTO temp.refused VALUES (?, ?)", pair)
                db.conn.execute(
                    "INSERT OR IGNORE INTO judgements VALUES (?, ?, ?, 'ruling', 0, ?, ?)",
                    (*pair, DIFFERENT, f"ruled different from {other} {one.words}", one.ruled_at),
                )


def _let_go_of_undone(db: Database, same: list[Ruling], applied: Applied) -> None:
    ruled = {name for one in same for name in (one.a, one.b)}
    gone = [
        listing_id
        for listing_id, name in db.conn.execute(
            "SELECT l.listing_id, l.source || ':' || l.source_id FROM listing_films lf"
            " JOIN listings l USING (listing_id) WHERE lf.valid_to IS NULL"
            " AND lf.method = 'ruling'"
        )
        if name not in ruled
    ]
    _part_from_their_films(db, gone, applied)
    db.conn.execute("DELETE FROM judgements WHERE method = 'ruling'")


def _part(db: Database, apart: list[Ruling], applied: Applied) -> None:
    """Of two listings that must not be one film, the less firm one leaves it."""
    for one in apart:
        members = _members(db, (one.a, one.b))
        if len(members) < 2:
            continue  # somebody forgot a listing
        first, second = sorted(members.values(), key=lambda member: member.firmness)
        if first.film_id is not None and first.film_id == second.film_id:
            _part_from_their_films(db, [second.listing_id], applied)


def _part_from_their_films(db: Database, listing_ids: list[int], applied: Applied) -> None:
    """Listings leave their films, and with them whatever may have come after them."""
    parted = leave(db, listing_ids)
    _leave(db, followers(db, parted), applied)
    applied.films |= parted
    applied.listings |= set(listing_ids)


def _bring_together(
    db: Database,
    cluster: frozenset[str],
    same: list[Ruling],
    kept_apart: set[frozenset[str]],
    applied: Applied,
) -> None:
    """All listings of a cluster become the film of its firmest one."""
    first, *others = sorted(_members(db, cluster).values(), key=lambda member: member.firmness)
    target = first.film_id
    if target is None:
        return  # nothing is known to be their film yet
    for member in others:
        if any(member.name in pair and pair <= cluster for pair in kept_apart):
            continue
        if member.film_id == target and member.method == "ruling":
            continue
        if member.anchors and member.film_id not in (None, target):
            assert member.film_id is not None
            join(db, target, member.film_id)
            applied.films.add(member.film_id)
        else:
            _leave(db, [member.listing_id], applied)
        why = next(one for one in same if member.name in (one.a, one.b))
        other = why.b if member.name == why.a else why.a
        _leave(db, [member.listing_id], applied)
        applied.films |= link(
            db,
            [Link(member.listing_id, target, "ruling", 1.0, f"ruled same as {other} {why.words}")],
        )
        applied.listings.discard(member.listing_id)


def _leave(db: Database, listing_ids: list[int], applied: Applied) -> None:
    applied.films |= leave(db, listing_ids)
    applied.listings |= set(listing_ids)


def _members(db: Database, names: Iterable[str]) -> dict[str, _Member]:
    found = {}
    own = " OR ".join(
        f"(l.source = '{source}' AND l.source_id = CAST(f.{column} AS TEXT))"
        for source, column in OWN_ID.items()
    )
    for name in names:
        source, _, source_id = name.partition(":")
        row = db.conn.execute(
            f"SELECT l.listing_id, lf.film_id, lf.method, ifnull({own}, 0) FROM listings l"
            " LEFT JOIN listing_films lf ON lf.listing_id = l.listing_id AND lf.valid_to IS NULL"
            " LEFT JOIN films f USING (film_id) WHERE l.source = ? AND l.source_id = ?",
            (source, source_id),
        ).fetchone()
        if row:  # else somebody forgot the listing
            found[name] = _Member(
                row[0], name, row[1], row[2], bool(row[3]), _RANK.get(source, len(_RANK))
            )
    return found


def _clusters(same: list[Ruling]) -> list[frozenset[str]]:
    """The listings that rulings bind together, directly or through others."""
    clusters: list[frozenset[str]] = []
    for one in same:
        bound = frozenset((one.a, one.b))
        meeting = [cluster for cluster in clusters if cluster & bound]
        clusters = [cluster for cluster in clusters if cluster not in meeting]
        clusters.append(bound.union(*meeting))
    return clusters
