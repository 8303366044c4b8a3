"""Members' processes: they fail loudly and never outlive the one that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.client.profiles import Profile, save_profile
from sims.demo.cues import Bid, Post, Setup
from sims.demo.settings import load_settings
from sims.demo.troupe import MemberFailed, Troupe

NOBODY = "http://127.0.0.1:1"
TIMEOUT_S = 30.0


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    profile = Profile(member="gz-provider", account="2", key_id="k", secret="00" * 32, base_url=NOBODY)
    save_profile(tmp_path, profile)
    return Setup("gz-provider", NOBODY, str(tmp_path), load_settings(), hubs=("GUIAN",))


async def test_a_cue_for_the_other_kind_is_nothing_to_do(setup: Setup) -> None:
    troupe = Troupe(TIMEOUT_S)
    try:
        await troupe.start([setup])
        assert (await troupe.play(troupe.providers(), Bid(trading_day="2026-12-04"))).sent == 0
        assert troupe.enterprises() == []
    finally:
        await troupe.end()


async def test_an_exchange_that_is_not_there_is_said_in_one_sentence(setup: Setup) -> None:
    troupe = Troupe(TIMEOUT_S)
    try:
        await troupe.start([setup])
        with pytest.raises(MemberFailed, match="gz-provider: CONNECTION_FAILED"):
            await troupe.play(troupe.providers(), Post())
    finally:
        await troupe.end()


async def test_a_process_that_dies_is_noticed(setup: Setup) -> None:
    troupe = Troupe(TIMEOUT_S)
    try:
        await troupe.start([setup])
        (actor,) = troupe.providers()
        os.kill(actor.pid, signal.SIGKILL)
        with pytest.raises(MemberFailed, match=r"gz-provider (has )?ended"):
            await troupe.play([actor], Post())
    finally:
        await troupe.end()


def test_a_member_ends_with_its_input() -> None:
    member = [sys.executable, "-m", "sims.demo.member"]
    ended = subprocess.run(member, input=b"", timeout=TIMEOUT_S, check=False, capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


async def test_ending_twice_is_harmless(setup: Setup) -> None:
    troupe = Troupe(TIMEOUT_S)
    await troupe.start([setup])
    (actor,) = troupe.providers()
    await troupe.end()
    await troupe.end()
    assert troupe.providers() == []
    with pytest.raises(ProcessLookupError):
        os.kill(actor.pid, 0)
