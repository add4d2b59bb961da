"""The folder of an export: whole, or not there under its name; what is other people's is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.partial import alone
from pipelines.problem import Problem

LIST = ".afterscore-export"
"""Lies in each folder that an export made, and names the files that are its own, one a line."""


class CannotExport(Problem):
    """Nothing was exported, and what was there stands; the message says why and what to do."""


@contextmanager
def whole_folder(target: Path, *, force: bool) -> Iterator[Path]:
    """A new folder to write files into, flat, which becomes `target` once the block ends well.

    Until then it has another name beside it; what a killed export left there is written over. Where
    `target` holds an earlier export, that one's files are replaced; where it holds other people's,
    nothing is done without `force`, and with it they stay: a new file that would bear the name of
    one of them is refused. Raises CannotExport.
    """
    target = target.resolve()
    _refuse(target, force=force)
    partial = target.parent / f".{target.name}.partial"
    taken = CannotExport(f"another export is writing {partial}. Try again later.")
    try:
        if partial.is_symlink():
            raise _not_ours(partial)
        partial.mkdir(exist_ok=True)
        with alone(partial, os.O_RDONLY, taken):
            _clear(partial)
            try:
                yield partial
                _publish(partial, target)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except OSError as fault:
        raise CannotExport(
            f"cannot write {fault.filename or target}: {fault.strerror}. Put that right, or name"
            " another folder with --out."
        ) from fault


def _clear(partial: Path) -> None:
    """Mark the folder as an export's, and empty it of what a killed one left there."""
    names = {file.name for file in partial.iterdir()}
    if names and LIST not in names:
        raise _not_ours(partial)
    _list(partial, [])
    for name in names - {LIST}:
        (partial / name).unlink()


def _not_ours(partial: Path) -> CannotExport:
    return CannotExport(
        f"{partial} is not an export's, and this one would grow there. Move it away, or name"
        " another folder with --out."
    )


def _refuse(target: Path, *, force: bool) -> None:
    if target.exists() and not target.is_dir():
        raise CannotExport(f"{target} is a file. Name a folder with --out.")
    if not target.parent.is_dir():
        raise CannotExport(f"no folder {target.parent}. Name another with --out.")
    if force or not target.exists():
        return
    own = _own(target)
    others = sorted(file.name for file in target.iterdir() if file.name not in own)
    if others:
        named = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise CannotExport(
            f"{target} holds files that no export made ({named}). Name a new folder with --out, or"
            " write beside them with --force."
        )


def _own(folder: Path) -> set[str]:
    """The names of what an earlier export wrote into a folder. Files elsewhere are none, whatever
    its list says: anybody may have written that."""
    try:
        names = (folder / LIST).read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return set()
    return {LIST, *(name for name in names if _is_plain(name))}


def _is_plain(name: str) -> bool:
    """Whether a text names a file of the folder itself, as an export's are named."""
    return name not in ("", ".", "..") and not {"/", "\0"} & set(name)


def _publish(partial: Path, target: Path) -> None:
    names = sorted(file.name for file in partial.iterdir() if file.name != LIST)
    _list(partial, names)
    # Once for all: of films there is a file each, and to wait for each of them takes minutes.
    os.sync()
    if not target.exists():
        partial.rename(target)
        return
    former = _own(target)
    taken = [name for name in names if name not in former and os.path.lexists(target / name)]
    if taken:
        named = ", ".join(taken[:3]) + (" …" if len(taken) > 3 else "")
        raise CannotExport(
            f"{target} holds files that no export made under names that this one needs ({named})."
            " Name a new folder with --out, or move them away."
        )
    # Whoever is killed in the middle of this leaves files that the next export knows to be ours.
    _list(target, sorted({*former, *names} - {LIST}))
    for name in names:
        (partial / name).replace(target / name)
    for name in former - {*names, LIST}:
        (target / name).unlink(missing_ok=True)
    (partial / LIST).replace(target / LIST)
    partial.rmdir()


def _list(folder: Path, names: list[str]) -> None:
    (folder / LIST).write_text("".join(f"{name}\n" for name in names), "utf-8")
