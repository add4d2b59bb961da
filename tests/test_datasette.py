"""datasette.yml: its descriptions are those of the tables, and its queries and charts work."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette.utils import parse_metadata

from benchmarks.catalogue import move_times
from pipelines import clock
from pipelines.database import read_only, transaction
from pipelines.export.reading import Narrowed
from pipelines.export.selection import selected
from pipelines.export.tables import export_tables
from pipelines.films import Listed
from pipelines.tables import Table, all_tables
from pipelines.tracking import track
from pipelines.views import VIEWS
from spiders.sources import SOURCES, score_kinds
from tests.answers import LISTED, answer, day, keeping, record, scored, tomatometer
from tests.conftest import Afterscore, Ended
from tests.serving import served

ROOT = Path(__file__).parent.parent
METADATA = parse_metadata((ROOT / "datasette.yml").read_text("utf-8"))
RATINGS = METADATA["databases"]["ratings"]
QUERIES: dict[str, dict[str, Any]] = RATINGS["queries"]
CHARTS: dict[str, dict[str, Any]] = METADATA["plugins"]["datasette-dashboards"]["ratings"]["charts"]
DESCRIBED: dict[str, Table] = {table.name: table for table in (*all_tables(), *VIEWS)}
OF_SQLITE = {"_sqlite_migrations", "sqlite_sequence"}
LARGE = ("film_scores", "stay_for_the_credits", "film_genres", "listings", "score_observations")
"""Tables with a row or more for each film."""


@pytest.fixture(scope="module")
def database(refreshed: tuple[Afterscore, Ended], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database refreshed ten days ago, in which a score has moved since. A saved page knows a
    score of it in the week after release; another, of nobody knows which day of that year."""
    path = tmp_path_factory.mktemp("moved") / "films of ours.db"
    path.write_bytes((refreshed[0].folder / "ratings.db").read_bytes())
    with keeping(path) as kept:
        with transaction(kept.db):
            move_times(kept.db.conn, "-10 days")
        saved = record("imdb", scores={"imdb_rating": scored(8.1, 90_000, 10)})
        kept.tell(
            answer(
                saved, at="2012-10-30T00:00:00Z", target="archive", url="https://saved.example/"
            ),
            origin="archive",
            exact="day",
        )
        kept.tell(
            tomatometer(scored(60, 20), at="2012-01-01T00:00:00Z", target="archive"),
            origin="archive",
            exact="year",
        )
        kept.tell(tomatometer(scored(90, 420), at=clock.now()))
        kept.merge()
    return path


@pytest.fixture(scope="module")
def site(refreshed: tuple[Afterscore, Ended], database: Path) -> Iterator[httpx.Client]:
    with served(refreshed[0], "--db", database) as client:
        yield client


# --- tables ---------------------------------------------------------------------------------------


def test_every_table_and_column_is_described_and_no_other() -> None:
    assert set(RATINGS["tables"]) == {*DESCRIBED, *OF_SQLITE}
    for name, table in DESCRIBED.items():
        shown = RATINGS["tables"][name]
        assert shown["columns"] == table.columns, name
        assert shown["description"] == f"A row is {table.row}."
        assert bool(shown.get("hidden")) == (table.readers == "internal"), name


def test_what_a_table_is_sorted_labelled_and_counted_by_are_columns_of_it() -> None:
    for name, table in DESCRIBED.items():
        shown = RATINGS["tables"][name]
        named = {shown[key] for key in ("sort", "sort_desc", "label_column") if key in shown}
        named |= {*(each.get("ages") if isinstance(each, dict) else each
                    for each in shown.get("facets", ())), *shown.get("units", ())}  # fmt: skip
        assert named <= set(table.columns), name
        assert shown.get("size", 50) <= 100, name


@pytest.mark.parametrize("name", LARGE)
def test_an_index_has_what_a_large_table_is_sorted_and_counted_by(
    database: Path, name: str
) -> None:
    shown, db = RATINGS["tables"][name], read_only(database)
    counted = [
        f"SELECT {each}, count(*) FROM {name} GROUP BY 1" for each in shown.get("facets", ())
    ]
    ordered = (
        [f"SELECT {shown['sort_desc']} FROM {name} ORDER BY 1"] if "sort_desc" in shown else []
    )
    for sql in (*counted, *ordered):
        first, *more = [row["detail"] for row in db.query(f"EXPLAIN QUERY PLAN {sql}")]
        assert "USING COVERING INDEX" in first
        assert not (more and sql in ordered)


def test_the_tables_that_are_listed_are_those_for_analysts(site: httpx.Client) -> None:
    listed = re.findall(r'<th scope="row"><a href="/ratings/(\w+)"', site.get("/ratings").text)
    assert set(listed) == {name for name, each in DESCRIBED.items() if each.readers == "analysts"}


def test_a_row_s_page_says_what_its_columns_mean_and_where_it_is_named(site: httpx.Client) -> None:
    page = unescape(site.get("/ratings/films/1").text)
    for column, meaning in DESCRIBED["films"].columns.items():
        assert f"<dt>{column}</dt>" in page
        assert meaning in page
    assert "of listing_films, as film_id" in page
    assert "lookups" not in page
    (path,) = re.findall(r'href="([^"]+)">CSV', page)
    assert len(site.get(path).text.splitlines()) == 2


def cells(page: str, column: str) -> list[str]:
    """What a column of a page's table shows, row by row."""
    return re.findall(rf'<td class="col-{column}(?: [^"]*)?">(.*?)</td>', page)


def test_a_value_that_is_not_known_is_a_dash_in_every_table(site: httpx.Client) -> None:
    missing = site.get("/ratings/scores?state=missing").text
    assert set(cells(missing, "value")) == {"–"}
    one = site.get("/ratings/one_film").text
    shown = dict(zip(cells(one, "state"), cells(one, "value"), strict=True))
    assert shown["missing"] == "–"
    assert float(shown["scored"])


def test_minutes_and_seconds_are_plain_numbers_and_bytes_are_not(site: httpx.Client) -> None:
    """Datasette's units would make 28.8 ks of a crawl of eight hours."""
    assert cells(site.get("/ratings/films?title=Skyfall").text, "runtime_minutes") == ["143"]
    for table in ("crawls", "last_night"):
        assert all(map(float, cells(site.get(f"/ratings/{table}").text, "seconds"))), table
    (size,) = cells(site.get("/ratings/runs").text, "db_bytes")
    assert size.endswith("B")


def test_every_page_bears_the_lines_that_sources_ask_for(site: httpx.Client) -> None:
    for path in ("/ratings", "/ratings/movers", "/ratings/films/1", "/-/dashboards/ratings"):
        page = unescape(site.get(path).text)
        for source in SOURCES:
            assert source.attribution in page, path


# --- queries --------------------------------------------------------------------------------------


def test_each_parameter_of_a_query_has_a_default() -> None:
    for name, query in QUERIES.items():
        named = list(dict.fromkeys(re.findall(r":([a-z_]+)", query["sql"])))
        assert set(query.get("params", ())) == set(query.get("defaults", ())) == set(named), name
        assert query["title"], name
        assert query["description"], name


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_finds_something_as_it_stands(site: httpx.Client, name: str) -> None:
    found = site.get(f"/ratings/{name}.json", params={"_shape": "objects"}).json()
    assert found["error"] is None
    assert found["rows"], found["query"]
    lines = list(csv.reader(site.get(f"/ratings/{name}.csv").text.splitlines()))
    assert lines[0] == found["columns"]
    assert len(lines) == len(found["rows"]) + 1


def rows(site: httpx.Client, query: str, **given: object) -> list[dict[str, Any]]:
    """The rows of a query, asked with these parameters."""
    answer = site.get(f"/ratings/{query}.json", params={**given, "_shape": "array"})  # type: ignore[dict-item]
    answered: list[dict[str, Any]] = answer.json()
    return answered


def test_what_an_address_gives_goes_before_the_defaults_and_nothing_does_not(
    site: httpx.Client,
) -> None:
    assert {row["title"] for row in rows(site, "best_of_a_year")} == {"The Avengers", "Skyfall"}
    for year in (2012, ""):
        assert len(rows(site, "best_of_a_year", year=year)) == 2
    assert rows(site, "best_of_a_year", votes_at_least=1_000_000)[0]["title"] == "The Avengers"
    assert rows(site, "best_of_a_year", year=1999)[0]["title"] == "The Matrix"
    form = site.get("/ratings/best_of_a_year?year=1999").text
    assert 'name="year" value="1999"' in form
    assert 'name="votes_at_least" value="1000"' in form


def test_a_parameter_may_be_given_twice_beside_defaults(site: httpx.Client) -> None:
    both = "_json=yes_sources&_json=no_sources"
    address = f"/ratings/scene_after_the_credits.json?{both}&_shape=array"
    for row in site.get(address).json():
        assert (type(row["yes_sources"]), type(row["no_sources"])) == (list, list)


def test_films_found_by_a_query_lead_to_their_pages(site: httpx.Client) -> None:
    (skyfall,) = (row for row in rows(site, "best_of_a_year") if row["title"] == "Skyfall")
    page = site.get("/ratings/best_of_a_year").text
    assert f'<a href="/film/{skyfall["film_id"]}"><bdi>Skyfall</bdi></a>' in page


def test_what_moved_what_stood_and_what_is_stale(site: httpx.Client) -> None:
    (moved,) = rows(site, "movers")
    assert (moved["title"], moved["old_value"], moved["new_value"]) == ("Skyfall", 92, 90)
    month = rows(site, "movers", days=30)
    assert [(row["score_kind"], row["saved_at"] is not None) for row in month] == [
        ("tomatometer", True),
        ("imdb_rating", True),
        ("tomatometer", False),
    ]
    stood = {
        (row["score_kind"], row["value"])
        for row in rows(site, "score_on_a_date", day=clock.later(clock.now(), days=-5)[:10])
    }
    assert {("tomatometer", 92), ("imdb_rating", 7.8)} <= stood
    seen = {
        row["value"]: row["observed_at"]
        for row in rows(site, "score_on_a_date")
        if row["score_kind"] == "tomatometer"
    }
    (came,) = seen.values()
    the_day_before = rows(site, "score_on_a_date", day=clock.later(came, days=-1)[:10])
    assert list(seen) == [90]
    assert [row["value"] for row in the_day_before if row["score_kind"] == "tomatometer"] == [92]
    assert rows(site, "score_on_a_date", film="tt1074638", day="2012-11-05") == [
        row
        for row in rows(site, "score_on_a_date", film="tt1074638", day="2012-12-24")
        if row["value"] == 8.1
    ]
    by_the_end_of_the_year = {
        (row["value"], row["observed_to"])
        for row in rows(site, "score_on_a_date", film="tt1074638", day="2012-12-31")
    }
    assert by_the_end_of_the_year == {(8.1, "day"), (60, "year")}
    stale = {(row["title"], row["score_kind"]) for row in rows(site, "stale_figures")}
    assert ("Skyfall", "popcornmeter") in stale
    assert ("Skyfall", "tomatometer") not in stale


@pytest.mark.parametrize("values", [(60, 88), (88, 60)])
def test_of_two_saved_pages_of_one_day_the_last_of_the_history_stood(
    afterscore: Afterscore, values: tuple[float, float]
) -> None:
    """Whichever was read first. Of one of them only the year is known: it counts once that is
    over."""
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        for value in values:
            page = tomatometer(scored(value, 200), at="2013-01-01T00:00:00Z")
            kept.tell(page, origin="archive", exact="day")
        page = tomatometer(scored(93, 250), at="2013-01-01T00:00:00Z")
        kept.tell(page, origin="archive", exact="year")
        kept.merge()
        history = kept.column("SELECT value FROM score_history WHERE valid_to IS NULL")
    asked = {"film": "tt1074638", "day": "2013-06-01"}
    with served(afterscore) as client:
        assert [row["value"] for row in rows(client, "score_on_a_date", **asked)] == [88]
        now = rows(client, "score_on_a_date", film="tt1074638")
        assert [row["value"] for row in now] == history == [93]


def test_what_was_seen_again_after_a_saved_page_said_otherwise_stands_on_that_date(
    afterscore: Afterscore,
) -> None:
    with keeping(afterscore.folder / "ratings.db") as kept:
        with transaction(kept.db):
            track(kept.db, [Listed(key, LISTED[key]) for key in ("imdb", "rottentomatoes")], "it")
        kept.tell(tomatometer(scored(90, 200), at=day(1)), tomatometer(scored(90, 200), at=day(9)))
        kept.tell(tomatometer(scored(80, 200), at=day(4)), origin="archive")
        kept.merge()
        assert kept.column("SELECT said_at FROM seen_again") == [day(9)], "and not written yet"
    stood = []
    with served(afterscore) as client:
        for number in (2, 5, 9):
            asked = {"film": "tt1074638", "day": day(number)[:10]}
            (row,) = rows(client, "score_on_a_date", **asked)
            stood.append((row["value"], row["observed_at"], row["origin"]))
    assert stood == [(90, day(1), "live"), (80, day(4), "archive"), (90, day(9), "live")]


def test_a_score_after_release_is_what_was_seen_by_then(site: httpx.Client) -> None:
    (row,) = rows(site, "after_release")
    assert row["title"] == "Skyfall"
    after = [row[f"after_{days}_days"] for days in (7, 30, 365)]
    assert after == [8.1, 8.1, 8.1]
    assert rows(site, "after_release", score_kind="tomatometer") == []


def test_a_score_that_is_lacking_is_told_with_why(site: httpx.Client) -> None:
    why = {row["title"]: row["why"] for row in rows(site, "lacking_a_kind")}
    assert why["The Matrix"] == "not_listed"
    assert "Skyfall" not in why
    for kind in score_kinds():
        lacking = rows(site, "lacking_a_kind", score_kind=kind.key, votes_at_least=0)
        assert all(row["why"] not in (None, "scored") for row in lacking)


# --- charts ---------------------------------------------------------------------------------------


def fields(display: Any) -> Iterator[str]:
    """The fields that a chart's encodings name."""
    if isinstance(display, dict):
        if isinstance(display.get("field"), str):
            yield display["field"]
        display = list(display.values())
    for each in display if isinstance(display, list) else ():
        yield from fields(each)


def made(display: Any) -> Iterator[str]:
    """The fields that it makes itself, by a transform or with data of its own."""
    for layer in [display, *display.get("layer", ())]:
        for transform in layer.get("transform", ()):
            for step in transform.get("window", [transform]):
                names = step.get("as", [])  # what fills gaps makes none
                yield from names if isinstance(names, list) else [names]
        for values in layer.get("data", {}).get("values", ()):
            yield from values


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_is_drawn_of_a_query_s_columns(site: httpx.Client, name: str) -> None:
    chart = CHARTS[name]
    assert chart["query"] == QUERIES[name]["sql"]
    assert chart["library"] == "vega-lite"
    columns = site.get(f"/ratings/{name}.json").json()["columns"]
    assert set(fields(chart["display"])) <= {*columns, *made(chart["display"])}


def test_charts_are_drawn_without_leaving_the_machine(site: httpx.Client) -> None:
    page = site.get("/-/dashboards/ratings").text
    assert len(CHARTS) >= 6
    for name in CHARTS:
        assert f'href="/-/dashboards/ratings/{name}"' in page
        assert f'data-rows="/ratings/{name}.json' in page
        assert site.get(f"/-/dashboards/ratings/{name}").status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page)
    assert len(loaded) == 5
    for path in loaded:
        assert path.startswith("/")
        assert site.get(path).status_code == 200


def test_what_a_chart_draws_of_these_films(site: httpx.Client) -> None:
    spread = rows(site, "spread_of_scores")
    for kind in score_kinds():
        assert sum(row["share"] for row in spread if row["score"] == kind.label) == pytest.approx(
            1, abs=0.01
        )
    pairs = {(row["one"], row["other"]): row for row in rows(site, "agreement")}
    assert len(pairs) == len(score_kinds()) * (len(score_kinds()) - 1) / 2
    assert pairs["Metascore", "Tomatometer"]["r_squared"] > 0.5
    ages = {(row["source"], row["seen"]): row["figures"] for row in rows(site, "how_fresh")}
    assert ages["rottentomatoes", "within a day"] == 1
    assert ages["rottentomatoes", "within a month"] > 1
    assert sum(row["changes"] for row in rows(site, "changes_by_day")) > 0


@pytest.mark.usefixtures("within_an_hour")
def test_figures_are_faceted_by_how_long_ago_they_were_seen(site: httpx.Client) -> None:
    """They are counted by the hour; of a film they are counted one by one, and come to the same."""
    whole = facets(site, "/ratings/freshness_by_age")
    assert list(whole) == ["seen", "source", "score_kind", "state"]
    figures = sum(count for count, _ in whole["source"].values())
    assert figures == len(site.get("/ratings/freshness_by_age.json?_size=max").json()["rows"])
    seen = {word: count for word, (count, _) in whole["seen"].items()}
    assert list(seen) == ["within a day", "within a month", "never"]
    assert seen["within a day"] == 1
    for word, (count, path) in whole["seen"].items():
        told = site.get(path + "&_size=max").json()
        assert {row[told["columns"].index("seen")] for row in told["rows"]} == {word}
        assert len(told["rows"]) == count
        narrowed = facets(site, path)
        assert {word: count for word, (count, _) in narrowed["seen"].items()} == {word: count}
        assert narrowed["seen"][word][1] == whole["source"]["imdb"][1].partition("?")[0]
    of_film: Counter[str] = Counter()
    for (film,) in site.get("/ratings/freshness_by_age.json?_col=film_id&_size=max").json()["rows"]:
        of_film[film] += 1
    film, count = of_film.most_common()[0]
    one = facets(site, f"/ratings/freshness_by_age?film_id={film}")
    assert sum(n for n, _ in one["source"].values()) == count


def facets(site: httpx.Client, path: str) -> dict[str, dict[str, tuple[int, str]]]:
    """The facets of a table, or of a part of it: each value's count, and where it leads."""
    address, _, query = path.partition("?")
    told = site.get(f"{address.removesuffix('.json')}.json?{query}").json()["facet_results"]
    return {
        name: {
            each["value"]: (each["count"], each["toggle_url"].replace(str(site.base_url), "/"))
            for each in facet["results"]
        }
        for name, facet in told.items()
    }


# --- exports --------------------------------------------------------------------------------------


def test_a_list_is_csv_and_json_as_it_is_narrowed(site: httpx.Client) -> None:
    page = site.get("/films?year=2012").text
    assert 'href="/films.csv?year=2012"' in page
    told = site.get("/films.json?year=2012").json()
    assert {row["title"] for row in told["rows"]} == {"The Avengers", "Skyfall"}
    assert told["truncated"] is False
    lines = list(csv.DictReader(site.get("/films.csv?year=2012").text.splitlines()))
    assert [line["title"] for line in lines] == [row["title"] for row in told["rows"]]
    for path in ("apart", "movers", "credits", "held", "doubtful", "search"):
        for ending in ("csv", "json"):
            assert site.get(f"/{path}.{ending}", params={"q": "the"}).status_code == 200, path


def test_a_csv_without_rows_names_its_columns(site: httpx.Client) -> None:
    for some, none in (
        ("/films.csv", "/films.csv?year=1900"),
        ("/search.csv?q=the", "/search.csv?q=zzyzx"),
    ):
        assert site.get(none).text.splitlines() == site.get(some).text.splitlines()[:1], none
    for path in ("apart", "movers", "credits", "held", "doubtful", "search"):
        named = site.get(f"/{path}.csv").text.partition("\r\n")[0].split(",")
        assert {"film_id", "title"} <= set(named), path


def test_an_id_finds_its_film_in_exports_too(site: httpx.Client) -> None:
    (told,) = site.get("/search.json?q=skyfall").json()["rows"]
    for asked in ("tt1074638", "tmdb:37724", "https://www.rottentomatoes.com/m/skyfall"):
        answer = site.get("/search.csv", params={"q": asked})
        (line,) = csv.DictReader(answer.text.splitlines())
        assert (line["imdb_id"], line["title"]) == (told["imdb_id"], told["title"])
        assert list(line) == list(told)
        (row,) = site.get("/search.json", params={"q": asked}).json()["rows"]
        assert row["film_id"] == told["film_id"]
    assert site.get("/search.json?q=tt9999999").json()["rows"] == []


def test_a_table_s_csv_has_every_row_and_a_query_s_says_where_it_ends(site: httpx.Client) -> None:
    page = unescape(site.get("/ratings/film_titles?title__notblank=1&_size=2").text)
    (path,) = re.findall(r'href="([^"]+)">CSV</a> has all of these rows', page)
    counted = site.get("/ratings/film_titles.json").json()["filtered_table_rows_count"]
    assert len(site.get(path).text.splitlines()) == counted + 1 > 3
    (path,) = re.findall(r'href="([^"]+)">JSON</a> has this page', page)
    assert len(site.get(path).json()["rows"]) == 2
    many = "SELECT 1 FROM films a CROSS JOIN films b CROSS JOIN films c"
    assert "each end after 1,000 rows" in site.get("/ratings", params={"sql": many}).text


# --- docs/queries.md ------------------------------------------------------------------------------

PAGE = (ROOT / "docs/queries.md").read_text("utf-8")
ANSWERED = {
    "one_film", "best_of_a_year", "best_of_a_genre", "best_of_a_director", "score_on_a_date",
    "critics_against_audience", "movers", "after_release", "scene_after_the_credits",
    "no_scene_in_the_credits", "lacking_a_kind", "stale_figures",
}  # fmt: skip


def on_the_page() -> list[tuple[str, str, dict[str, str]]]:
    """Each query on the page: its name, its SQL, and the values that are named below it."""
    found = []
    for sql, below in re.findall(r"```sql\n(.*?)```\n\n(.*?)\n", PAGE, re.S):
        name = re.match(r"`(\w+)` with", below)
        values = dict(re.findall(r"`:(\w+)` = `(.*?)`", below))
        found.append((name[1] if name else "of files", sql, values))
    return found


def test_every_question_is_on_the_page() -> None:
    assert {name for name, _, _ in on_the_page()} == ANSWERED | {"of files"}


@pytest.mark.parametrize(
    ("name", "sql", "values"), on_the_page(), ids=lambda value: str(value)[:24]
)
def test_each_query_on_the_page_answers_as_it_stands(
    name: str, sql: str, values: dict[str, str], database: Path
) -> None:
    of_tables = re.sub(r"'ratings/(\w+)\.parquet'", r"\1", sql)
    with closing(sqlite3.connect(database)) as db:
        assert db.execute(of_tables, values).fetchall(), name
    if name in QUERIES:
        assert sql.strip() == QUERIES[name]["sql"].strip()


def test_the_recipes_in_python_work(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ratings").mkdir()
    Path("ratings.db").symlink_to(database)
    with closing((db := read_only(database)).conn):
        chosen = selected(db, ["score_observations"], Narrowed())
        export_tables(db, chosen, "parquet", Path("ratings"), clock.now(), lambda name, rows: None)
    found: dict[str, Any] = {}
    for recipe in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(compile(recipe, "docs/queries.md", "exec"), found)
    films = found["films"]
    assert films["popcornmeter_votes"].isna().any()
    assert films.dtypes.astype(str).to_dict() == {
        "title": "string",
        "year": "Int64",
        "imdb_rating": "Float64",
        "metascore": "Float64",
        "popcornmeter_votes": "Int64",
    }
    assert -20 < found["gap"] < 20
    assert found["by_day"].sum() == len(found["seen"])


def test_the_recipe_in_r_asks_what_there_is(database: Path) -> None:
    (sql,) = re.findall(r'dbGetQuery\(db, "(.*?)"', PAGE, re.S)
    with closing(sqlite3.connect(database)) as db:
        assert db.execute(sql, {"since": 2000}).fetchall()
