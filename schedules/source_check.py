"""Check one source: what its robots.txt says today, and whether its samples are still read."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from protego import Protego

from schedules.config import Config
from spiders.pages.page import Page
from spiders.pages.reading import read
from spiders.sources import Source


class Checked(NamedTuple):
    """One thing that was looked at."""

    what: str
    good: bool
    detail: str


def check_source(source: Source, config: Config, samples: Path) -> list[Checked]:
    """robots.txt of each host, and every sample page against its expected result."""
    checked = [_robots(source, config, host.role) for host in source.hosts]
    folder = samples / source.key
    for beside in sorted(folder.glob("*.expected.json")):
        file = beside.with_name(beside.name.removesuffix(".expected.json"))
        expected = json.loads(beside.read_text("utf-8"))
        page = Page(
            source=source.key,
            url=expected["url"],
            body=file.read_bytes(),
            status=expected.get("http_status", 200),
            headers=expected.get("headers", {}),
        )
        found = [record.model_dump(mode="json", exclude_defaults=True) for record in read(page)]
        good = found == expected["records"]
        layout = found[0].get("layout") or found[0].get("outcome", "ok") if found else "empty list"
        checked.append(Checked(file.name, good, layout if good else "is not read as expected"))
    return checked


def _robots(source: Source, config: Config, role: str) -> Checked:
    site = config.hosts[role]
    what = f"{site}/robots.txt"
    request = urllib.request.Request(what, headers={"User-Agent": config.user_agent()})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  http(s) only
            rules = Protego.parse(answer.read(1_000_000).decode("utf-8", "replace"))
    except urllib.error.HTTPError as fault:
        fine = fault.code in (404, 410)
        return Checked(what, fine, "there is none" if fine else f"answered {fault.code}")
    except OSError as fault:
        return Checked(what, False, f"no answer ({fault})")
    asked = source.ask_url("x") or f"{site}/"
    path = asked.partition("//")[2].partition("/")[2]
    allowed = rules.can_fetch(f"{site}/{path}", config.user_agent())
    wait = rules.crawl_delay(config.user_agent())
    return Checked(
        what,
        allowed,
        ("allows" if allowed else "FORBIDS")
        + f" /{path}"
        + (f", crawl-delay {wait:g} s" if wait else ""),
    )
