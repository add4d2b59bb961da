"""The documentation: its generated parts are up to date, and what it names exists and works."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from schedules.cli import app
from schedules.config import Config, SourceSettings
from spiders.plan import Limits, Universe
from spiders.sources import SOURCES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def python(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder whose packages go before ours."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_generated_parts_are_up_to_date() -> None:
    ended = python("docs/generate.py", "--check", folder=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# --- what is named exists -------------------------------------------------------------------------


def named_commands() -> list[str]:
    """Every line of an indented or fenced block, in any page, that starts with `afterscore`."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    return sorted(set(re.findall(r"(?m)^(?:    )?afterscore (\S.*?)(?:\s+#.*)?$", text)))


@pytest.mark.parametrize("line", [line for line in named_commands() if not line.startswith("asks")])
def test_every_named_command_exists_with_its_options(line: str) -> None:
    words = line.split()
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert command.name != "afterscore", f"there is no command {words[0]}"
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_readme_names_the_two_commands_and_make_has_them() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "\n    make demo\n" in text
    assert "\n    make test\n" in text
    for target in set(re.findall(r"make ([a-z]+)$", text, re.M)):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if heading:
            assert heading in headings(linked), target


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in found}


def test_readme_explains_every_setting() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    settings = {*Config.model_fields, *Universe.model_fields, *Limits.model_fields}
    settings |= {*SourceSettings.model_fields, *(o for s in SOURCES for o in s.opt_in)}
    told = set(re.findall(r"`\[?(\w+)", text))
    assert settings - told == set()


# --- docs/adding-a-source.md ----------------------------------------------------------------------


@pytest.mark.long
def test_the_walk_through_works_when_typed(tmp_path: Path) -> None:
    """A made-up source with its own score kind appears everywhere; no other file changes."""
    if any(source.key == "lantern" for source in SOURCES):
        pytest.skip("the walk-through was followed in this checkout already")
    for name in ("spiders", "pipelines", "schedules", "explore", "tests"):
        ignored = shutil.ignore_patterns("*.pyc.*")  # others may be compiling
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "datasette.yml", "scrapy.cfg"):
        shutil.copy(ROOT / name, tmp_path)
    text = (ROOT / "docs/adding-a-source.md").read_text("utf-8")
    blocks = re.findall(
        r"<!-- (file: \S+|append to SOURCES|run) -->\n```\w+\n(.*?)```\n", text, re.S
    )
    printed = []
    for what, body in blocks:
        if what == "append to SOURCES":
            register = tmp_path / "spiders/sources.py"
            before, end, after = register.read_text("utf-8").partition("\n)\n\n\ndef by_key")
            assert after
            register.write_text(f"{before}\n{body.rstrip()}{end}{after}", "utf-8")
        elif what == "run":
            words = body.replace("afterscore ", "python -m schedules.cli ").split()
            assert words[0] == "python"
            ended = python(*words[1:], folder=tmp_path)
            assert ended.returncode == 0, body + ended.stdout + ended.stderr
            printed.append(ended.stdout)
        else:
            file = tmp_path / what.removeprefix("file: ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, "utf-8")
    read, _, demo = printed
    assert '"lantern_score": {"state": "scored", "value": 4.1, "scale_max": 5' in read
    films = {line.split(" (")[0]: line.split() for line in demo.splitlines()}
    assert "Lantern" in next(line for line in demo.splitlines() if line.startswith("Film "))
    assert films["Skyfall"][-2] == "4.1"
    assert films["Up"][-2] == "n/r"
    export = ["export", "--format", "kodi-nfo", "--out", "nfo", "--db", "demo/ratings.db"]
    assert python("-m", "schedules.cli", *export, folder=tmp_path).returncode == 0
    nfo = (tmp_path / "nfo/Skyfall (2012) [tt1074638].nfo").read_text("utf-8")
    ratings = re.findall(r'<rating name="(\w+)" max="(\d+)"', nfo)
    assert ("lantern_score", "5") in ratings
    assert ratings[-1] == ("imdb", "10"), "Jellyfin takes the last to be of ten"


@pytest.mark.parametrize(
    "module",
    sorted(
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        for folder in ("spiders", "pipelines", "schedules")
        for path in (ROOT / folder).rglob("*.py")
        if ">>> " in path.read_text("utf-8")
    ),
)
def test_examples_in_docstrings_are_true(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0
