"""What a new machine does: an installed wheel works from any folder, and the set-up says what is
wrong where Python or a package index is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import schedules

CHECKOUT = Path(schedules.__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel, and nothing of the checkout, was installed."""
    built = tmp_path_factory.mktemp("built")
    target = tmp_path_factory.mktemp("installed")
    for words in (
        ["-m", "build", "--wheel", "--no-isolation", "--outdir", built, CHECKOUT],
        ["-m", "pip", "install", "--no-deps", "--no-index", "--find-links", built, "--target",
         target, "afterscore"],
    ):  # fmt: skip
        subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True)
    return target


def run_installed(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The wheel's own console script, in a folder far from the checkout."""
    return subprocess.run(
        [sys.executable, str(installed / "bin" / "afterscore"), *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_installed_wheel_runs_the_demo_from_any_folder(installed: Path, tmp_path: Path) -> None:
    ended = run_installed(installed, tmp_path, "demo")
    assert ended.returncode == 0, ended.stderr
    assert "Mad Max: Fury Road" in ended.stdout
    assert "afterscore serve --open --db demo/ratings.db" in ended.stdout


def test_an_installed_wheel_holds_nothing_but_the_packages(installed: Path) -> None:
    found = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert found == {"spiders", "pipelines", "schedules", "explore", "bin"}


def test_an_installed_wheel_has_what_the_site_is_made_of(installed: Path) -> None:
    for name in (
        "datasette.yml",
        "plugins/afterscore.py",
        "templates/film.html",
        "templates/dashboard_view.html",
        "static/charts.js",
        "static/site.css",
    ):
        assert (installed / "explore" / name).exists(), name


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make` in a copy of what the set-up needs."""
    (folder / ".ci").mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock", ".ci/setup.sh"):
        shutil.copy(CHECKOUT / name, folder / name)
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_missing_python_is_named(tmp_path: Path) -> None:
    ended = make(tmp_path, "demo", "PYTHON=python-that-is-not-there")
    assert ended.returncode == 2
    assert "needs Python 3.11 or newer" in ended.stderr
    assert "make demo PYTHON=" in ended.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_missing_package_index_is_named(tmp_path: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
    }
    ended = make(tmp_path, "demo", f"PYTHON={sys.executable}", **nowhere)
    assert ended.returncode == 2
    assert "Is a package index in reach?" in ended.stderr
