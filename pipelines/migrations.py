"""How the database is made and changed: forward only, one function a change, never edited later.

`sqlite_utils.Migrations` runs each in a transaction with the record of it having run. Tables that
are derived (film_scores, the views) need none: merge makes them anew from the register, where they
are not as this version has them already.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("afterscore")


def statements(db: Database, script: str) -> None:
    """Run a script's statements one by one: `executescript` would commit the transaction."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def m001_foundation(db: Database) -> None:
    statements(
        db,
        """
CREATE TABLE films (
  film_id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT, original_title TEXT, year INTEGER, kind TEXT, runtime_minutes INTEGER,
  released_on TEXT, original_language TEXT, overview TEXT,
  imdb_id TEXT UNIQUE, tmdb_id INTEGER UNIQUE, wikidata_id TEXT,
  merged_into INTEGER REFERENCES films (film_id)
) STRICT;
CREATE TABLE tracked_films (
  film_id INTEGER PRIMARY KEY REFERENCES films (film_id),
  given TEXT NOT NULL, tracked_at TEXT NOT NULL
) STRICT;
CREATE TABLE listings (
  listing_id INTEGER PRIMARY KEY,
  source TEXT NOT NULL, source_id TEXT NOT NULL, url TEXT NOT NULL,
  title TEXT, original_title TEXT, year INTEGER, kind TEXT, runtime_minutes INTEGER,
  released_on TEXT, original_language TEXT, overview TEXT, offers TEXT,
  first_seen_at TEXT NOT NULL, not_found_runs INTEGER NOT NULL DEFAULT 0, gone_at TEXT,
  UNIQUE (source, source_id)
) STRICT;
CREATE TABLE listing_identifiers (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  source TEXT NOT NULL, source_id TEXT NOT NULL,
  PRIMARY KEY (listing_id, source, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_identifiers_stated ON listing_identifiers (source, source_id);
CREATE TABLE listing_films (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  film_id INTEGER NOT NULL REFERENCES films (film_id),
  valid_from TEXT NOT NULL, valid_to TEXT,
  method TEXT NOT NULL, probability REAL, evidence TEXT,
  is_primary INTEGER NOT NULL DEFAULT 0 CHECK (is_primary IN (0, 1)),
  PRIMARY KEY (listing_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX listing_films_current ON listing_films (listing_id) WHERE valid_to IS NULL;
CREATE INDEX listing_films_film ON listing_films (film_id, valid_to);
CREATE TABLE film_titles (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  film_id INTEGER REFERENCES films (film_id),
  title TEXT NOT NULL, country TEXT, language TEXT
) STRICT;
CREATE INDEX film_titles_listing ON film_titles (listing_id);
CREATE INDEX film_titles_film ON film_titles (film_id);
CREATE TABLE people (person_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE film_people (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  film_id INTEGER REFERENCES films (film_id),
  person_id INTEGER NOT NULL REFERENCES people (person_id), part TEXT NOT NULL, billing INTEGER
) STRICT;
CREATE INDEX film_people_listing ON film_people (listing_id);
CREATE INDEX film_people_film ON film_people (film_id);
CREATE INDEX film_people_person ON film_people (person_id);
CREATE TABLE film_genres (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  film_id INTEGER REFERENCES films (film_id),
  genre TEXT NOT NULL
) STRICT;
CREATE INDEX film_genres_listing ON film_genres (listing_id);
CREATE INDEX film_genres_film ON film_genres (film_id);
CREATE INDEX film_genres_genre ON film_genres (genre, film_id);
CREATE TABLE score_observations (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id), score_kind TEXT NOT NULL,
  observed_at TEXT NOT NULL,
  observed_to TEXT NOT NULL CHECK (observed_to IN ('second', 'day', 'month', 'year')),
  state TEXT NOT NULL CHECK (state IN ('scored', 'not_rated')),
  value REAL, scale_max REAL NOT NULL, votes INTEGER CHECK (votes >= 0),
  votes_at_least INTEGER NOT NULL CHECK (votes_at_least IN (0, 1)),
  basis TEXT, relayed INTEGER NOT NULL CHECK (relayed IN (0, 1)),
  origin TEXT NOT NULL CHECK (origin IN ('live', 'dataset', 'archive')),
  layout TEXT, url TEXT,
  CHECK ((state = 'scored') = (value IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX score_observations_once ON score_observations (
  listing_id, score_kind, observed_at, origin, state,
  ifnull(value, -1), ifnull(votes, -1), ifnull(basis, '')
);
CREATE TABLE scores (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id), score_kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('scored', 'not_rated', 'missing')),
  value REAL, scale_max REAL NOT NULL, votes INTEGER CHECK (votes >= 0),
  votes_at_least INTEGER NOT NULL CHECK (votes_at_least IN (0, 1)),
  basis TEXT, relayed INTEGER NOT NULL CHECK (relayed IN (0, 1)),
  origin TEXT NOT NULL CHECK (origin IN ('live', 'dataset', 'archive')),
  layout TEXT, url TEXT,
  observed_at TEXT NOT NULL, changed_at TEXT NOT NULL,
  last_attempt_state TEXT NOT NULL, last_attempt_at TEXT NOT NULL,
  PRIMARY KEY (listing_id, score_kind),
  CHECK ((state = 'scored') = (value IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE confirmations (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id), topic TEXT NOT NULL,
  confirmed_at TEXT NOT NULL,
  PRIMARY KEY (listing_id, topic)
) STRICT, WITHOUT ROWID;
CREATE TABLE dataset_confirmations (
  source TEXT PRIMARY KEY, confirmed_at TEXT NOT NULL
) STRICT;
CREATE TABLE credits_verdicts (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  observed_at TEXT NOT NULL,
  observed_to TEXT NOT NULL CHECK (observed_to IN ('second', 'day', 'month', 'year')),
  during TEXT NOT NULL CHECK (during IN ('yes', 'no', 'unknown')),
  after TEXT NOT NULL CHECK (after IN ('yes', 'no', 'unknown')),
  scene_count INTEGER, extras TEXT NOT NULL,
  worth_staying INTEGER, worth_staying_votes INTEGER,
  origin TEXT NOT NULL CHECK (origin IN ('live', 'dataset', 'archive')),
  layout TEXT, url TEXT
) STRICT;
CREATE UNIQUE INDEX credits_verdicts_once ON credits_verdicts (
  listing_id, observed_at, origin, during, after, ifnull(scene_count, -1), extras,
  ifnull(worth_staying, -999999)
);
CREATE TABLE urls (
  url TEXT PRIMARY KEY, source TEXT NOT NULL, listing_id INTEGER REFERENCES listings (listing_id),
  etag TEXT, last_modified TEXT, records_hash TEXT, reader_version TEXT,
  last_outcome TEXT NOT NULL, last_status INTEGER, last_asked_at TEXT NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX urls_listing ON urls (listing_id);
CREATE TABLE due (
  listing_id INTEGER PRIMARY KEY REFERENCES listings (listing_id),
  due_at TEXT NOT NULL, why TEXT NOT NULL
) STRICT;
CREATE TABLE lookups (
  film_id INTEGER NOT NULL REFERENCES films (film_id), source TEXT NOT NULL,
  sought_at TEXT NOT NULL,
  found TEXT NOT NULL CHECK (found IN ('listed', 'not_listed', 'ambiguous')), detail TEXT,
  PRIMARY KEY (film_id, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
  run_id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, plan TEXT NOT NULL,
  pid INTEGER NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
  outcome TEXT CHECK (outcome IN ('ok', 'partly', 'failed', 'interrupted')), exception TEXT
) STRICT;
CREATE TABLE crawls (
  run_id INTEGER NOT NULL REFERENCES runs (run_id), source TEXT NOT NULL,
  started_at TEXT NOT NULL, seconds REAL NOT NULL DEFAULT 0,
  asked INTEGER NOT NULL DEFAULT 0, fetched INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0, not_found INTEGER NOT NULL DEFAULT 0,
  blocked INTEGER NOT NULL DEFAULT 0, unreadable INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0, stored INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL, detail TEXT, exception TEXT,
  PRIMARY KEY (run_id, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (
  quarantine_id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER REFERENCES runs (run_id),
  listing_id INTEGER REFERENCES listings (listing_id),
  topic TEXT NOT NULL,
  reason TEXT NOT NULL, record TEXT NOT NULL, standing TEXT, held_at TEXT NOT NULL,
  last_held_at TEXT NOT NULL, times_held INTEGER NOT NULL DEFAULT 1,
  decision TEXT CHECK (decision IN ('released', 'rejected', 'superseded')),
  decided_by TEXT, decided_at TEXT
) STRICT;
CREATE INDEX quarantine_open ON quarantine (listing_id, topic) WHERE decision IS NULL;
CREATE TABLE rulings (
  ruling_id INTEGER PRIMARY KEY AUTOINCREMENT,
  listing_a TEXT NOT NULL, listing_b TEXT NOT NULL,
  ruling TEXT NOT NULL CHECK (ruling IN ('same', 'different')),
  ruled_by TEXT, ruled_at TEXT NOT NULL, undone_at TEXT
) STRICT;
""",
    )


@migrations()
def m002_matching(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE listings ADD COLUMN another_film_since TEXT;
CREATE TABLE judgements (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  film_id INTEGER NOT NULL REFERENCES films (film_id),
  answer TEXT NOT NULL CHECK (answer IN ('ask', 'different')),
  method TEXT NOT NULL CHECK (method IN ('identifier', 'evidence', 'ruling')),
  probability REAL, evidence TEXT NOT NULL, judged_at TEXT NOT NULL,
  PRIMARY KEY (listing_id, film_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX judgements_film ON judgements (film_id);
CREATE INDEX judgements_ruled ON judgements (listing_id) WHERE method = 'ruling';
CREATE INDEX listing_films_ruled ON listing_films (listing_id) WHERE method = 'ruling';
CREATE TABLE film_keys (
  match_key INTEGER NOT NULL, film_id INTEGER NOT NULL REFERENCES films (film_id),
  PRIMARY KEY (match_key, film_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX film_keys_film ON film_keys (film_id);
CREATE TABLE listing_keys (
  match_key INTEGER NOT NULL, listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  PRIMARY KEY (match_key, listing_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_keys_listing ON listing_keys (listing_id);
UPDATE listing_films SET valid_from = '0001-01-01T00:00:00Z' WHERE valid_from =
  (SELECT min(o.valid_from) FROM listing_films o WHERE o.listing_id = listing_films.listing_id);
UPDATE listing_films SET method = 'tracked' WHERE evidence LIKE 'tracked as %';
""",
    )


@migrations()
def m003_due(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE urls ADD COLUMN first_answered_at TEXT;
ALTER TABLE urls ADD COLUMN last_answered_at TEXT;
ALTER TABLE urls ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
UPDATE urls SET first_answered_at = last_asked_at, last_answered_at = last_asked_at, answers = 1
  WHERE last_outcome = 'ok';
""",
    )


@migrations()
def m004_guard(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE crawls ADD COLUMN profile TEXT;
ALTER TABLE quarantine ADD COLUMN source TEXT;
ALTER TABLE quarantine ADD COLUMN rule TEXT;
ALTER TABLE quarantine ADD COLUMN nights INTEGER NOT NULL DEFAULT 1;
ALTER TABLE quarantine ADD COLUMN origin TEXT NOT NULL DEFAULT 'live'
  CHECK (origin IN ('live', 'dataset', 'archive'));
ALTER TABLE quarantine ADD COLUMN observed_to TEXT NOT NULL DEFAULT 'second'
  CHECK (observed_to IN ('second', 'day', 'month', 'year'));
ALTER TABLE quarantine ADD COLUMN from_list INTEGER NOT NULL DEFAULT 0
  CHECK (from_list IN (0, 1));
UPDATE quarantine SET source =
  (SELECT source FROM listings l WHERE l.listing_id = quarantine.listing_id);
CREATE INDEX quarantine_of ON quarantine (listing_id, topic);
CREATE INDEX quarantine_open_of ON quarantine (source, rule) WHERE decision IS NULL;
CREATE TABLE held_answers (
  quarantine_id INTEGER NOT NULL REFERENCES quarantine (quarantine_id), answer BLOB NOT NULL
) STRICT;
CREATE INDEX held_answers_of ON held_answers (quarantine_id);
CREATE TABLE released_listings (
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id),
  quarantine_id INTEGER NOT NULL REFERENCES quarantine (quarantine_id),
  PRIMARY KEY (listing_id, quarantine_id)
) STRICT, WITHOUT ROWID;
""",
    )


@migrations()
def m005_taking_turns(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE runs ADD COLUMN continues INTEGER REFERENCES runs (run_id) ON DELETE SET NULL;
CREATE TABLE last_requests (source TEXT PRIMARY KEY, asked_at TEXT NOT NULL) STRICT;
""",
    )


@migrations()
def m006_telling(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE runs ADD COLUMN db_bytes INTEGER;
ALTER TABLE runs ADD COLUMN wal_bytes INTEGER;
CREATE TABLE run_coverage (
  run_id INTEGER NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  score_kind TEXT NOT NULL, scored INTEGER NOT NULL, films INTEGER NOT NULL,
  PRIMARY KEY (run_id, score_kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE paused_sources (
  source TEXT PRIMARY KEY, paused_at TEXT NOT NULL, paused_until TEXT, why TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (
  finding TEXT PRIMARY KEY, what TEXT, first_seen_at TEXT, told_at TEXT, acked_until TEXT
) STRICT, WITHOUT ROWID;
""",
    )


@migrations()
def m007_quiet_nights(db: Database) -> None:
    statements(
        db,
        """
CREATE TABLE dataset_records (
  listing_id INTEGER PRIMARY KEY REFERENCES listings (listing_id), digest INTEGER NOT NULL
) STRICT;
""",
    )


@migrations()
def m008_search(db: Database) -> None:
    statements(
        db,
        """
CREATE VIRTUAL TABLE film_search USING fts5 (
  title, other_titles, people, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE VIRTUAL TABLE film_words USING fts5vocab (film_search, row);
INSERT INTO film_search (rowid, title, other_titles, people)
  SELECT film_id, ifnull(title, ''),
    ifnull((SELECT group_concat(t.title, ' · ') FROM film_titles t
            WHERE t.film_id = f.film_id), ''),
    ifnull((SELECT group_concat(p.name, ' · ') FROM film_people fp JOIN people p USING (person_id)
            WHERE fp.film_id = f.film_id), '')
  FROM films f WHERE merged_into IS NULL;
""",
    )


@migrations()
def m009_upstream(db: Database) -> None:
    statements(
        db,
        """
ALTER TABLE listings ADD COLUMN changed_upstream_at TEXT;
ALTER TABLE last_requests ADD COLUMN not_before TEXT;
CREATE TABLE feeds (source TEXT PRIMARY KEY, read_to TEXT NOT NULL) STRICT, WITHOUT ROWID;
""",
    )


@migrations()
def m010_listings_in_order(db: Database) -> None:
    """A source's listings in the order of their numbers: what is due is worked out without sorting
    them all, which took to temporary files twice a night."""
    statements(db, "CREATE INDEX listings_of ON listings (source);")


@migrations()
def m011_whole_catalogues(db: Database) -> None:
    statements(
        db,
        """
CREATE TABLE unindexed_films (
  film_id INTEGER PRIMARY KEY REFERENCES films (film_id)
) STRICT;
""",
    )


@migrations()
def m012_unmerged_listings(db: Database) -> None:
    """Where a run was killed, nobody knows any more which listings it touched."""
    statements(
        db,
        """
CREATE TABLE unmerged_listings (
  listing_id INTEGER PRIMARY KEY REFERENCES listings (listing_id)
) STRICT;
INSERT INTO unmerged_listings SELECT listing_id FROM listings
  WHERE EXISTS (SELECT 1 FROM runs WHERE ended_at IS NULL);
""",
    )


@migrations()
def m013_moves(db: Database) -> None:
    """What moved until now, as pipelines/moves.py found it when this was written: a migration does
    not follow what changes later."""
    statements(
        db,
        """
CREATE TABLE moves (
  said_at TEXT NOT NULL,
  listing_id INTEGER NOT NULL REFERENCES listings (listing_id), score_kind TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('live', 'dataset')),
  value REAL NOT NULL, votes INTEGER,
  old_said_at TEXT NOT NULL, old_value REAL NOT NULL, old_votes INTEGER, delta_100 REAL NOT NULL,
  PRIMARY KEY (said_at, listing_id, score_kind, origin, value)
) STRICT, WITHOUT ROWID;
INSERT INTO moves
SELECT said_at, listing_id, score_kind, origin, value, votes, old_said_at, old_value, old_votes,
  delta_100
FROM (
  SELECT observed_at AS said_at, listing_id, score_kind, origin, value, votes,
    lag(observed_at) OVER said AS old_said_at, lag(value) OVER said AS old_value,
    lag(votes) OVER said AS old_votes,
    round(100.0 * value / scale_max
          - 100.0 * lag(value) OVER said / lag(scale_max) OVER said, 2) AS delta_100
  FROM score_observations
  WHERE relayed = 0
  WINDOW said AS (
    PARTITION BY listing_id, score_kind
    ORDER BY observed_at, origin, state, ifnull(value, -1), ifnull(votes, -1), ifnull(basis, '')
  )
)
WHERE origin <> 'archive' AND delta_100 <> 0
ORDER BY said_at, listing_id, score_kind, origin, value;
CREATE INDEX moves_of ON moves (listing_id);
""",
    )


@migrations()
def m014_marks(db: Database) -> None:
    """What was sought among all saved pages, and among all listings, is marked as it comes. SQLite
    itself keeps which listings are no film: whatever matches, leaves or forgets one."""
    statements(
        db,
        """
ALTER TABLE scores ADD COLUMN said_otherwise INTEGER NOT NULL DEFAULT 0
  CHECK (said_otherwise IN (0, 1));
UPDATE scores SET said_otherwise = 1
FROM (
  SELECT DISTINCT o.listing_id, o.score_kind
  FROM score_observations o CROSS JOIN scores s USING (listing_id, score_kind)
  WHERE o.origin = 'archive' AND o.relayed = 0 AND s.origin <> 'archive'
    AND o.observed_at >= s.observed_at AND (o.state <> s.state OR o.value IS NOT s.value)
) later
WHERE scores.listing_id = later.listing_id AND scores.score_kind = later.score_kind;
CREATE INDEX scores_said_otherwise ON scores (listing_id, score_kind) WHERE said_otherwise = 1;
CREATE TABLE filmless_listings (listing_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO filmless_listings SELECT listing_id FROM listings l WHERE NOT EXISTS (
  SELECT 1 FROM listing_films lf WHERE lf.listing_id = l.listing_id AND lf.valid_to IS NULL);
CREATE TRIGGER listings_come AFTER INSERT ON listings BEGIN
  INSERT INTO filmless_listings VALUES (NEW.listing_id); END;
CREATE TRIGGER listings_go AFTER DELETE ON listings BEGIN
  DELETE FROM filmless_listings WHERE listing_id = OLD.listing_id; END;
CREATE TRIGGER listing_films_begin AFTER INSERT ON listing_films WHEN NEW.valid_to IS NULL BEGIN
  DELETE FROM filmless_listings WHERE listing_id = NEW.listing_id; END;
CREATE TRIGGER listing_films_end AFTER UPDATE OF valid_to ON listing_films
WHEN OLD.valid_to IS NULL AND NEW.valid_to IS NOT NULL BEGIN
  INSERT OR IGNORE INTO filmless_listings VALUES (NEW.listing_id); END;
CREATE TRIGGER listing_films_again AFTER UPDATE OF valid_to ON listing_films
WHEN OLD.valid_to IS NOT NULL AND NEW.valid_to IS NULL BEGIN
  DELETE FROM filmless_listings WHERE listing_id = NEW.listing_id; END;
CREATE TRIGGER listing_films_go AFTER DELETE ON listing_films WHEN OLD.valid_to IS NULL BEGIN
  INSERT OR IGNORE INTO filmless_listings VALUES (OLD.listing_id); END;
""",
    )


@migrations()
def m015_figure_hours(db: Database) -> None:
    """How many figures were last seen in which hour: SQLite itself counts, whatever writes, as each
    figure or its confirmation comes, changes or goes.

    What stands of an answer has a confirmation no older than what it says, from here on also where
    a dataset no longer holds it.
    """

    def count(sign: str, figure: str, confirmed: str, of: str) -> str:
        """Count a figure in its hour, or (`-`) out of it. That of a dataset is where it was first
        said: the dataset confirms it in one row, and when is looked up by who reads."""
        by_dataset = (
            f"{figure}.state <> 'missing' AND {figure}.origin = 'dataset' AND {confirmed} IS NULL"
        )
        seen_in = (
            f"iif({figure}.state = 'missing', '',"
            f" substr(max({figure}.observed_at, ifnull({confirmed}, '')), 1, 13))"
        )
        return (
            f"INSERT INTO figure_hours SELECT l.source, {figure}.score_kind, {figure}.state,"
            f" {by_dataset}, {seen_in}, {sign}1 {of} AND {figure}.relayed = 0"
            " ON CONFLICT DO UPDATE SET figures = figures + excluded.figures;"
        )

    def figure(sign: str, row: str) -> str:
        return count(
            sign,
            row,
            "c.confirmed_at",
            f"FROM listings l LEFT JOIN confirmations c ON c.listing_id = {row}.listing_id"
            f" AND c.topic = {row}.score_kind WHERE l.listing_id = {row}.listing_id",
        )

    def confirmed(sign: str, row: str, at: str) -> str:
        return count(
            sign,
            "s",
            at,
            "FROM scores s JOIN listings l ON l.listing_id = s.listing_id"
            f" WHERE s.listing_id = {row}.listing_id AND s.score_kind = {row}.topic",
        )

    statements(
        db,
        f"""
INSERT INTO confirmations SELECT listing_id, score_kind, observed_at FROM scores s
  WHERE state <> 'missing' AND (origin = 'live' OR origin = 'dataset' AND EXISTS (
    SELECT 1 FROM confirmations c WHERE c.listing_id = s.listing_id AND c.topic = s.score_kind))
  ON CONFLICT DO UPDATE SET confirmed_at = excluded.confirmed_at
    WHERE confirmed_at < excluded.confirmed_at;
CREATE INDEX confirmations_when ON confirmations (topic, confirmed_at);
CREATE INDEX scores_saved ON scores (observed_at) WHERE origin = 'archive';
CREATE INDEX scores_missing ON scores (listing_id) WHERE state = 'missing';
CREATE INDEX scores_not_as_they_stood ON scores (listing_id, state, relayed)
  WHERE last_attempt_state <> state;
CREATE TABLE figure_hours (
  source TEXT NOT NULL, score_kind TEXT NOT NULL, state TEXT NOT NULL,
  by_dataset INTEGER NOT NULL CHECK (by_dataset IN (0, 1)), seen_in TEXT NOT NULL,
  figures INTEGER NOT NULL,
  PRIMARY KEY (source, score_kind, state, by_dataset, seen_in)
) STRICT, WITHOUT ROWID;
INSERT INTO figure_hours
  SELECT l.source, s.score_kind, s.state,
    s.state <> 'missing' AND s.origin = 'dataset' AND c.confirmed_at IS NULL,
    iif(s.state = 'missing', '', substr(max(s.observed_at, ifnull(c.confirmed_at, '')), 1, 13)),
    count(*)
  FROM scores s JOIN listings l ON l.listing_id = s.listing_id
  LEFT JOIN confirmations c ON c.listing_id = s.listing_id AND c.topic = s.score_kind
  WHERE s.relayed = 0 GROUP BY 1, 2, 3, 4, 5;
CREATE TRIGGER figure_hours_none AFTER UPDATE ON figure_hours WHEN NEW.figures = 0 BEGIN
  DELETE FROM figure_hours WHERE (source, score_kind, state, by_dataset, seen_in)
    = (NEW.source, NEW.score_kind, NEW.state, NEW.by_dataset, NEW.seen_in); END;
CREATE TRIGGER scores_come AFTER INSERT ON scores BEGIN {figure("+", "NEW")} END;
CREATE TRIGGER scores_change AFTER UPDATE OF state, observed_at, relayed, origin ON scores
WHEN (OLD.state, OLD.observed_at, OLD.relayed, OLD.origin)
  <> (NEW.state, NEW.observed_at, NEW.relayed, NEW.origin)
BEGIN {figure("-", "OLD")} {figure("+", "NEW")} END;
CREATE TRIGGER scores_go AFTER DELETE ON scores BEGIN {figure("-", "OLD")} END;
CREATE TRIGGER confirmations_come AFTER INSERT ON confirmations
BEGIN {confirmed("-", "NEW", "NULL")} {confirmed("+", "NEW", "NEW.confirmed_at")} END;
CREATE TRIGGER confirmations_change AFTER UPDATE OF confirmed_at ON confirmations
WHEN substr(OLD.confirmed_at, 1, 13) <> substr(NEW.confirmed_at, 1, 13)
BEGIN {confirmed("-", "OLD", "OLD.confirmed_at")} {confirmed("+", "NEW", "NEW.confirmed_at")} END;
CREATE TRIGGER confirmations_go AFTER DELETE ON confirmations
BEGIN {confirmed("-", "OLD", "OLD.confirmed_at")} {confirmed("+", "OLD", "NULL")} END;
""",
    )


@migrations()
def m016_doubts(db: Database) -> None:
    """Those who are asked about, of a film: most that a film was held against is no doubt, and a
    film of a common title is held against thousands."""
    statements(db, "CREATE INDEX judgements_asked ON judgements (film_id) WHERE answer = 'ask';")


@migrations()
def m017_exports(db: Database) -> None:
    """How far the feed had been read when it was first read again after a gap is not known; what
    it missed before, age decides, as it did."""
    statements(
        db,
        """
ALTER TABLE feeds ADD COLUMN missed_before TEXT;
CREATE TABLE exports (
  source TEXT PRIMARY KEY, exported_on TEXT NOT NULL, read_at TEXT NOT NULL, first_run_id INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE exported_ids (
  source TEXT NOT NULL, source_id TEXT NOT NULL, popularity REAL NOT NULL, absent_since TEXT,
  PRIMARY KEY (source, source_id)
) STRICT, WITHOUT ROWID;
""",
    )


@migrations()
def m018_usual_coverage(db: Database) -> None:
    """So far every night became usual."""
    statements(
        db,
        """
ALTER TABLE run_coverage ADD COLUMN is_usual INTEGER NOT NULL DEFAULT 1 CHECK (is_usual IN (0, 1));
""",
    )


@migrations()
def m019_cases_that_began_together(db: Database) -> None:
    """How many listings a rule began to hold in one night is asked for each that is held."""
    statements(
        db,
        "CREATE INDEX quarantine_began ON quarantine (source, rule, held_at, listing_id);",
    )


@migrations()
def m020_score_counts(db: Database) -> None:
    """Filled when the derived tables are next prepared; an index of theirs counted all films."""
    statements(
        db,
        """
DROP INDEX IF EXISTS film_scores_states;
CREATE TABLE score_counts (
  score_kind TEXT NOT NULL, state TEXT NOT NULL, year INTEGER, points INTEGER,
  films INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX score_counts_of
  ON score_counts (score_kind, state, ifnull(year, ''), ifnull(points, ''));
""",
    )


@migrations()
def m021_how_listings_of_films_were_matched(db: Database) -> None:
    """Evidence speaks for no film: which listings do is asked of every film that is compared."""
    statements(
        db,
        """
DROP INDEX listing_films_film;
CREATE INDEX listing_films_film ON listing_films (film_id, valid_to, method);
""",
    )


@migrations()
def m022_which_version_wrote_the_keys(db: Database) -> None:
    """Not known of those that there are: the next run writes them anew."""
    statements(db, "CREATE TABLE key_versions (version TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;")


@migrations()
def m023_films_that_are_to_be_merged(db: Database) -> None:
    """A film that lost its listing is not found by that any more."""
    statements(db, "CREATE TABLE unmerged_films (film_id INTEGER PRIMARY KEY) STRICT;")


@migrations()
def m024_moves_from_saved_pages(db: Database) -> None:
    """Of the moves that there are, those before which no answer said anything at that time."""
    statements(
        db,
        """
ALTER TABLE moves ADD COLUMN saved_at TEXT;
UPDATE moves SET saved_at = old_said_at WHERE NOT EXISTS (
  SELECT 1 FROM score_observations o
  WHERE o.listing_id = moves.listing_id AND o.score_kind = moves.score_kind
    AND o.observed_at = moves.old_said_at AND o.observed_at < moves.said_at
    AND o.relayed = 0 AND o.origin <> 'archive'
);
""",
    )


@migrations()
def m025_oldest_figures(db: Database) -> None:
    """Told by the rows of the films, as of their last merge: to merge a million of them anew takes
    far longer. A table without these columns, or of another register, is made anew anyway."""
    columns = db["film_scores"].columns_dict if db["film_scores"].exists() else {}
    if "kinds_used" not in columns:
        return
    times = ", ".join(
        f"iif(instr(', ' || kinds_used || ',', ', {name.removesuffix('_confirmed_at')},'), {name},"
        " '9999')"
        for name in columns
        if name.endswith("_confirmed_at")
    )
    statements(
        db,
        f"""
ALTER TABLE film_scores ADD COLUMN oldest_confirmed_at TEXT;
UPDATE film_scores SET oldest_confirmed_at = nullif(min('9999', {times}), '9999')
  WHERE kinds_used <> '';
""",
    )
