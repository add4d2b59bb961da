"""Lists of films to track, as people keep them: CSV files of many shapes, and media folders with
ids in names."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

from sqlite_utils import Database

from pipelines import films, tracking
from pipelines.database import is_there, read_only, transaction
from pipelines.films import Listed, UnknownFilm, listed
from pipelines.matching.spans import OWN_ID
from pipelines.problem import Problem
from schedules.show import printable
from spiders.sources import IMDB_ID, SOURCES, by_key

# What people and other programs call the columns, in lower case without spaces and underscores.
_COLUMNS = {
    "const": "imdb",
    "tconst": "imdb",
    "imdb": "imdb",
    "imdbid": "imdb",
    "imdburl": "url",
    "tmdb": "tmdb",
    "tmdbid": "tmdb",
    "themoviedbid": "tmdb",
    "url": "url",
    "link": "url",
    "uri": "url",
}
_IN_NAMES = re.compile(
    rf"(?<![a-z0-9])(?:imdb(?:id)?[-=]?)?(?P<imdb>{IMDB_ID})(?!\d)"
    r"|[\[{(](?:tmdb|tmdbid)[-=](?P<tmdb>[1-9][0-9]{0,9})[\]})]",
    re.I,
)

_VIDEO = re.compile(
    r"\.(3gp|asf|avi|divx|flv|iso|m2ts|m4v|mkv|mov|mp4|mpe?g|og[mv]|rmvb|ts|vob|webm|wmv)", re.I
)


@dataclass(frozen=True)
class Row:
    """One film of a list: its line or file name, what was given, and the listings it names.

    `problem` says why a row names no film; its listings are then empty.
    """

    place: str
    given: str
    listings: tuple[Listed, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Tracked:
    """What came of a list: the film of each row by the row's place, how many were not tracked
    before, and its rows, each with its problem where it has no film."""

    films: dict[str, int]
    new: int
    rows: list[Row]

    @property
    def nameless(self) -> list[Row]:
        """The rows without a film."""
        return [row for row in self.rows if not row.listings]


def from_csv(path: Path) -> list[Row]:
    """The films of a CSV file, one a row; duplicates are kept, each with its row.

    Read are IMDb's own exports (`Const`), columns of IMDb or TMDB ids or of URLs under their
    usual names, and files of one column without a header. Bare digits are IMDb ids in an IMDb
    column, TMDB ids in a TMDB column. Raises Problem.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as fault:
        raise Problem(f"cannot read {path}: {fault.strerror}") from fault
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Problem(f"{path} is empty")
    mark = max(",;\t", key=lambda mark: lines[0].count(mark))
    # With an empty `newline`, lines may end as those of an old Mac do, with CR alone.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark if mark in lines[0] else ",")
    try:
        rows = list(reader)
    except csv.Error as fault:
        raise Problem(f"{path}, line {reader.line_num}: {fault}") from fault
    header = [_folded(cell) for cell in rows[0]]
    columns = _columns(header)
    if columns:
        start = 1
    elif len(rows[0]) == 1 and _cell_listing(rows[0][0], "imdb"):
        columns, start = {0: "imdb"}, 0
    else:
        named = ", ".join(printable(cell.strip()[:40]) for cell in rows[0][:12])
        raise Problem(
            f"{path} has no column of film ids. One of Const, imdb_id, tconst, tmdb_id or URL is"
            f" needed; its first line is: {named}"
        )
    found = [
        _row(f"line {number}", cells, columns)
        for number, cells in enumerate(rows[start:], start + 1)
        if any(cell.strip() for cell in cells)
    ]
    if not found:
        raise Problem(f"{path} names its columns, and no film")
    return found


def from_folder(folder: Path) -> list[Row]:
    """The films of a media folder: ids in the names of files and folders, such as `[tt1074638]`,
    `{imdb-tt1074638}`, `{tmdb-37724}`, or in .nfo files beside them; then the video files that
    none of these is for. Raises Problem."""
    if not folder.is_dir():
        raise Problem(f"{folder} is not a folder")
    found: dict[Listed, str] = {}
    identified: set[Path] = set()
    videos: list[Path] = []
    problems: list[Row] = []
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        named = _shown(path.relative_to(folder))
        for listing in _in_text(path.name):
            found.setdefault(listing, named)
            identified.add(path)
        if _VIDEO.fullmatch(path.suffix):
            videos.append(path)
        try:
            of_nfo = _in_nfo(path)
        except OSError as fault:
            problems.append(Row(named, named, problem=f"cannot be read: {fault.strerror}"))
            continue
        if of_nfo:
            found.setdefault(of_nfo, named)
            identified |= {path.with_suffix(""), *({path.parent} - {folder})}
    for path in videos:
        if not identified & {path.with_suffix(""), path, *path.parents}:
            named = _shown(path.relative_to(folder))
            problems.append(Row(named, named, problem="no id in its name"))
    return [*(Row(named, named, (listing,)) for listing, named in found.items()), *problems]


def _in_nfo(path: Path) -> Listed | None:
    """The film that an .nfo file names: its own comes first, others may follow. Raises OSError."""
    if path.suffix.casefold() != ".nfo":
        return None
    about = path.stat()
    if not S_ISREG(about.st_mode) or about.st_size >= 1_000_000:
        return None
    return next(_in_text(path.read_text("utf-8", "replace")), None)


def _shown(path: Path) -> str:
    """A path as text; bytes of it that are no UTF-8 are escaped, as in `Am\\xe9lie.mkv`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def from_names(names: list[str], database: Path) -> list[Row]:
    """Films given on the command line by id, key or URL; by their whole title those that the
    database knows.

    Raises UnknownFilm for another title, or one that may be of several films.
    """
    return [Row(name, name, (listed(name) or _known(name, database),)) for name in names]


_BY_ID = (
    "A film is tracked by an id or a page: tt1074638, tmdb:37724, rottentomatoes:m/skyfall or a"
    " URL; by its whole title once it is known here ('afterscore film TITLE')."
)


def _known(name: str, database: Path) -> Listed:
    """A listing of the film of this title. Raises UnknownFilm."""
    listing = None
    if is_there(database):
        with closing((reading := read_only(database, older=True)).conn):
            film_id = films.find(reading, name, whole=True, otherwise=_BY_ID)
            listing = films.a_listing(reading, film_id)
    if listing is None:
        raise UnknownFilm(f"no film {name!r} here. {_BY_ID}")
    return listing


def track(db: Database, rows: Iterable[Row]) -> Tracked:
    """Track the film of each row."""
    from pipelines.merge import merge

    tracked: dict[str, int] = {}
    new = 0
    taken: list[Row] = []
    with transaction(db):
        for row in rows:
            taken.append(row)
            if row.listings:
                try:
                    tracked[row.place], is_new = tracking.track(db, row.listings, row.given)
                    new += is_new
                except UnknownFilm:
                    taken[-1] = of_different_films(row)
    merge(db, tracked.values())
    return Tracked(tracked, new, taken)


def of_different_films(row: Row) -> Row:
    """The row as one that names no film, since its ids are of several that are here."""
    return replace(row, listings=(), problem="its ids are of different films here")


def _columns(header: list[str]) -> dict[int, str]:
    known = {source.key: source.key for source in SOURCES} | _COLUMNS
    return {place: known[name] for place, name in enumerate(header) if name in known}


def _row(place: str, cells: list[str], columns: dict[int, str]) -> Row:
    given = [cells[at].strip() for at in columns if at < len(cells) and cells[at].strip()]
    listings: dict[Listed, None] = {}
    problem = None
    for at, meaning in columns.items():
        cell = cells[at].strip() if at < len(cells) else ""
        if not cell:
            continue
        try:
            listing = _cell_listing(cell, meaning)
        except UnknownFilm as fault:
            problem = problem or str(fault)
            continue
        if listing:
            listings[listing] = None
        else:
            problem = problem or f"{cell!r} is no {meaning} id"
    for source in OWN_ID:
        theirs = [listing.source_id for listing in listings if listing.source == source]
        if len(theirs) > 1:
            several = f"its ids are of several films on {by_key(source).name}: {', '.join(theirs)}"
            return Row(place, " ".join(given), problem=several)
    if listings:
        return Row(place, " ".join(given), tuple(listings))
    return Row(place, " ".join(given), problem=problem or "no id in this row")


def _cell_listing(cell: str, meaning: str) -> Listed | None:
    cell = cell.strip()
    if cell.isdecimal() and meaning in ("imdb", "tmdb"):
        number = cell.lstrip("0")
        return listed(f"imdb:tt{number:0>7}" if meaning == "imdb" else f"tmdb:{number}")
    found = listed(cell)
    if found is None and meaning not in ("url", "imdb", "tmdb"):
        found = listed(f"{meaning}:{cell}")
    return found


def _in_text(text: str) -> Iterator[Listed]:
    for found in _IN_NAMES.finditer(text):
        if found["imdb"]:
            yield Listed("imdb", found["imdb"].lower())
        else:
            yield Listed("tmdb", found["tmdb"])


def _folded(cell: str) -> str:
    return re.sub(r"[\s_\-]", "", cell).casefold()


def _decoded(raw: bytes) -> str:
    for encoding in (
        ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",)
    ):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp1252", "replace")
