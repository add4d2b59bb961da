"""A backfill on the workers of a cluster comes to what it comes to on one machine, whatever becomes
of them; and no host is asked more often for it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.machines import Machines, kill
from benchmarks.processes import family
from benchmarks.soak import differences, rows
from pipelines import clock
from schedules.cluster.worker import LEASE_SECONDS
from tests.conftest import Afterscore, copy_packages
from tests.fault_server import (
    PATIENCE,
    Asked,
    FaultServer,
    Gate,
    Reply,
    asking,
    printed,
    started,
)

DELAY = 0.5
TOO_SOON = 1.25 * DELAY
"""Two requests follow one within twice the delay, or half as long again; or within half of that, by
two workers at once."""
LISTINGS = 12


def over_two(asked: Sequence[Asked]) -> list[float]:
    """Seconds from each request to the second after it. Where a busy machine notes one late, the
    gap before it is as much longer as that behind it is shorter; two workers at once would halve
    them."""
    return [after.at - before.at for before, after in zip(asked, asked[2:], strict=False)]


def next_after(server: FaultServer, held: str) -> float:
    """When a server was asked again after the answer that was held back, its place among all that
    it was asked being where it was asked first."""
    return server.asked[server.asked.index(server.requests(held)[0]) + 1].at


def certificate(folder: Path) -> dict[str, str]:
    """A certificate of 127.0.0.1 that vouches for itself, and how dask is told of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cluster.crt", folder / "cluster.key"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    told = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(public)}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        told[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(public)
        told[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(private)
    return told


def older(folder: Path) -> dict[str, str]:
    """The environment of a machine on which Metacritic's reader is another one."""
    folder.mkdir()
    copy_packages(folder)
    with (folder / "spiders/pages/metacritic.py").open("a", encoding="utf-8") as reader:
        reader.write("# of yesterday\n")
    return {"PYTHONPATH": str(folder)}


KILLS = '''
import os
import signal
from pathlib import Path

from spiders.base import SourceSpider


class MetacriticSpider(SourceSpider):
    """Brings down the machine that it is on, with one page."""

    name = "metacritic"

    def records(self, page, target):
        if target.source_id == "movie/2":
            nursery = Path(f"/proc/{os.getppid()}/stat").read_text()
            os.kill(int(nursery.split()[3]), signal.SIGKILL)
        return super().records(page, target)
'''


DIES = """

import os
import signal
from pathlib import Path

_records = RottentomatoesSpider.records


def _die_once(self, page, target):
    died = Path(__file__).with_name("died")
    if target.source_id == "m/2" and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _records(self, page, target)


RottentomatoesSpider.records = _die_once
"""


def leases(folder: Path, seconds: float) -> dict[str, str]:
    """The environment of machines on which a lease is for so long."""
    folder.mkdir()
    copy_packages(folder)
    worker = folder / "schedules/cluster/worker.py"
    usual = worker.read_text("utf-8")
    assert f"LEASE_SECONDS = {LEASE_SECONDS}\n" in usual
    worker.write_text(usual.replace(f"= {LEASE_SECONDS}\n", f"= {seconds}\n", 1), "utf-8")
    return {"PYTHONPATH": str(folder)}


def hasty(folder: Path) -> dict[str, str]:
    """The environment of machines on which leases are short, and Metacritic's spider kills; Rotten
    Tomatoes' dies once, by itself."""
    environment = leases(folder, 4.0)
    (folder / "spiders/metacritic.py").write_text(KILLS, "utf-8")
    with (folder / "spiders/rottentomatoes.py").open("a", encoding="utf-8") as spider:
        spider.write(DIES)
    return environment


def tracking(folder: Path, *servers: FaultServer) -> Afterscore:
    """A folder in which each server's source is on, and so many of its listings are tracked."""
    folder.mkdir()
    ready = asking(folder, *servers, delay=DELAY)
    names = {"rottentomatoes": "m/{}", "metacritic": "movie/{}", "tmdb": "{}"}
    keys = [server.source.key for server in servers]
    tracked = [f"{key}:{names[key].format(n)}" for key in keys for n in range(1, LISTINGS + 1)]
    assert ready("track", *tracked).status == 0
    return ready


def crawls(ready: Afterscore) -> dict[str, tuple[str, int]]:
    """The outcome of each source that is on in the last run, and how many answers were stored."""
    found = ready.database().query(
        "SELECT source, outcome, asked FROM crawls WHERE run_id = (SELECT max(run_id) FROM runs)"
        " AND detail IS NOT 'switched off in afterscore.toml'"
    )
    return {row["source"]: (row["outcome"], row["asked"]) for row in found}


@pytest.mark.long
def test_a_worker_that_is_killed_loses_nothing_and_no_host_is_asked_more_often(
    tmp_path: Path,
) -> None:
    tls = certificate(tmp_path)
    with (
        FaultServer("rottentomatoes") as rotten,
        FaultServer("metacritic") as meta,
        FaultServer("tmdb") as tmdb,
        Machines(tmp_path, tls, tls=True) as machines,
    ):
        spread = tracking(tmp_path / "spread", rotten, meta, tmdb)
        alone = Afterscore(tmp_path / "alone", spread.environment)
        shutil.copytree(spread.folder, alone.folder)
        del alone.environment["TMDB_API_TOKEN"]
        assert alone("backfill").status == 0
        spread.environment |= tls
        nobody = spread("backfill", "--cluster", machines.address)
        assert nobody.status == 2
        assert f"Start one on each machine: dask worker {machines.address}" in nobody.err

        rotten.asked.clear()
        meta.asked.clear()
        machines.start_workers(1, older(tmp_path / "older"))
        workers = machines.start_workers(2)
        gates = {"m/3": Gate(), "movie/3": Gate()}
        rotten.tell("m/3", Reply(body=rotten.page("m/3"), gate=gates["m/3"]))
        meta.tell("movie/3", Reply(body=meta.page("movie/3"), gate=gates["movie/3"]))
        with started(spread, "backfill", "--cluster", machines.address) as run:
            printed(
                run,
                "is left out: its readers are not the same as here: metacritic; install",
                "tmdb: skipped: no worker has TMDB_API_TOKEN in its environment",
            )
            for gate in gates.values():
                gate.wait()
            # Both have one, unless one was late to say what it has installed.
            with_crawls = [worker for worker in workers if len([*family(worker.pid)]) > 1]
            kill(with_crawls[0])
            for gate in gates.values():
                gate.open()
            printed(run, "was lost (")
            assert run.wait(PATIENCE) == 0
        assert crawls(spread) == {
            "rottentomatoes": ("ok", LISTINGS),
            "metacritic": ("ok", LISTINGS),
            "tmdb": ("skipped", 0),
        }
        assert tmdb.asked == []
        for server in (rotten, meta):
            assert len(set(server.pages_asked)) == LISTINGS
            # The page in hand, and what was under way to us, are asked again.
            assert len(server.pages_asked) <= LISTINGS + 4
            assert min(over_two(server.asked)) > TOO_SOON
        if len(with_crawls) == 2:  # the source of the other one went on meanwhile
            one, other = next_after(rotten, "m/3"), next_after(meta, "movie/3")
            assert abs(one - other) > LEASE_SECONDS / 2
    wanted, found = (dict(rows(ready.folder / "ratings.db")) for ready in (alone, spread))
    found["last_requests"] = [row for row in found["last_requests"] if row[0] != "tmdb"]
    assert differences(wanted, found) == []


@pytest.mark.long
def test_a_batch_that_kills_its_workers_is_given_up_and_a_scheduler_may_be_restarted(
    tmp_path: Path,
) -> None:
    environment = hasty(tmp_path / "hasty")
    with (
        FaultServer("rottentomatoes") as rotten,
        FaultServer("metacritic") as meta,
        Machines(tmp_path, environment) as machines,
    ):
        ready = tracking(tmp_path / "run", rotten, meta)
        ready.environment |= environment
        machines.start_workers(4)
        gate = Gate()
        rotten.tell("m/5", Reply(body=rotten.page("m/5"), gate=gate))
        with started(ready, "backfill", "--cluster", machines.address) as run:
            line = printed(run, "metacritic: failed (3 workers in a row were lost with its batch")
            assert line.endswith("What was stored stands.\n")
            gate.wait()
            machines.kill_scheduler()
            gate.open()
            machines.start_scheduler()
            machines.start_workers(1)
            assert run.wait(PATIENCE) == 1
        assert crawls(ready)["rottentomatoes"] == ("ok", LISTINGS)
        assert rotten.pages_asked.count("m/2") == 2  # its crawl died once, and went to another
        assert set(meta.pages_asked) == {"movie/1", "movie/2"}
        assert min(over_two(rotten.asked)) > TOO_SOON


@pytest.mark.long
def test_runs_that_want_one_host_take_turns_and_end_or_give_way_in_order(tmp_path: Path) -> None:
    gates = [Gate(), Gate()]
    patient = leases(tmp_path / "patient", PATIENCE)  # no worker is to be lost
    with FaultServer("rottentomatoes") as rotten, Machines(tmp_path, patient) as machines:
        first, second = (tracking(tmp_path / name, rotten) for name in ("first", "second"))
        for ready in (first, second):
            ready.environment |= patient
        machines.start_workers(2)
        backfill = ("backfill", "--cluster", machines.address)
        rotten.tell("m/3", Reply(body=rotten.page("m/3"), gate=gates[0]))
        with started(first, *backfill) as interrupted:
            gates[0].wait()
            with started(second, *backfill) as waiting:
                printed(waiting, "rottentomatoes: another run asks 127.0.0.1")
                interrupted.send_signal(signal.SIGINT)
                printed(interrupted, "ending after the requests in hand")
                gates[0].open()
                assert interrupted.wait(PATIENCE) == 1
                assert waiting.wait(PATIENCE) == 0
        # Before the worker hears of it, it may have asked for some more.
        asked = len(rotten.pages_asked) - LISTINGS
        assert asked < LISTINGS
        assert crawls(first) == {"rottentomatoes": ("interrupted", asked)}
        assert crawls(second) == {"rottentomatoes": ("ok", LISTINGS)}

        held = f"m/{asked + 1}"
        rotten.tell(held, Reply(body=rotten.page(held), gate=gates[1]))
        with started(first, *backfill) as passed:
            gates[1].wait()
            with started(first, "track", "rottentomatoes:m/99") as passing:
                printed(passed, "another command goes first; this one goes on after it")
                gates[1].open()
                assert passing.wait(PATIENCE) == 0
            assert passed.wait(PATIENCE) == 0
        listings = [f"m/{number}" for number in (*range(1, LISTINGS + 1), 99)]
        # Whoever waited asked nothing before the host was free, and nobody asked anything twice.
        assert rotten.pages_asked == listings[:asked] + listings[:-1] + listings[asked:]
        assert min(over_two(rotten.asked)) > TOO_SOON

        # A run that is killed while it waits has told by then for how long.
        refused = Reply(429, headers={"Retry-After": "100"})
        for listing in listings:
            rotten.tell(listing, refused)
        with started(first, *backfill, "--again") as killed:
            printed(killed, "rottentomatoes: waits for 100 s, as it was told to")
            killed.kill()
        (row,) = first.database().query("SELECT not_before FROM last_requests")
        assert row["not_before"] > clock.later(clock.now(), seconds=30)


def test_a_cluster_that_cannot_be_used_ends_the_command_with_what_to_do(
    afterscore: Afterscore,
) -> None:
    assert afterscore("track", "tt1074638").status == 0
    nowhere = afterscore("backfill", "--cluster", "tcp://127.0.0.1:1")
    assert nowhere.status == 2
    assert "no scheduler answers at tcp://127.0.0.1:1" in nowhere.err
    assert "Is it running (dask scheduler)" in nowhere.err

    for no_address in ("nonsense", "http://127.0.0.1:8786"):
        ended = afterscore.really("backfill", "--cluster", no_address)
        assert (ended.status, ended.err.count("\n")) == (2, 1), ended.err
        assert f"no scheduler answers at {no_address} (" in ended.err

    (afterscore.folder / "distributed.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'distributed'\", name='distributed')", "utf-8"
    )
    without = afterscore.really("backfill", "--cluster", "tcp://127.0.0.1:1")
    assert without.status == 2
    assert "pip install '.[cluster]'" in without.err
