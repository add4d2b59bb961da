"""A short soak: kill -9 in the middle of every command that writes. `make soak` is the long one."""

from __future__ import annotations

import pytest

from benchmarks.soak import SHARES, soak


@pytest.mark.long
def test_commands_that_are_killed_lose_nothing_and_are_taken_up() -> None:
    killed = list(soak(kills=6, seed=4, made_up=4, catalogued=100))
    assert {kill.job for kill in killed} == set(SHARES)
    assert {f"{kill.job} at {kill.share:.3f}": kill.wrong for kill in killed if kill.wrong} == {}
