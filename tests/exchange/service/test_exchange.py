"""The sequencer on real files: acknowledgement, order, bounds, failure, restart (clause 1.6)."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from datetime import date, time

import numpy as np
import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.domain.rejects import RejectCode
from exchange.journal import JournalDamage, JournalLocked, OsFiles
from exchange.service.bootstrap import bootstrap
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange
from exchange.service.secrets import MasterKeyError
from exchange.service.sequencer import TURN_COMMANDS
from matching.records import COMMAND, EventKind, Side, cancel, empty_commands, new_order

START = moment_ns(date(2026, 12, 4), time(8, 0))
SYMBOL = "H100.GUIAN.261208"


class GatedFiles(OsFiles):
    """Real files whose syncs wait for a gate and can be told to fail."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.fail = False

    def sync(self, descriptor: int) -> None:
        self.gate.wait(timeout=30)
        if self.fail:
            raise OSError(5, "Input/output error")
        super().sync(descriptor)


async def trading(config, files=None):
    """Return an exchange in continuous trading with two enterprises (accounts 2 and 3)."""
    clock = ManualClock(START)
    exchange = await Exchange.open(config, clock, files=files)
    await bootstrap(exchange)
    for name in ("acme", "blue"):
        assert (await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))).ok
        assert (await exchange.submit_rare(m.Deposit(member=name, amount_fen=10**10))).ok
    clock.set(moment_ns(date(2026, 12, 4), time(9, 30)))
    await DayDriver(exchange, clock, config).catch_up()
    return exchange


def order(exchange, side, lots, price, client_id=0):
    index = exchange.views.index(SYMBOL)
    return new_order(account=9, instrument=index, side=side, quantity=lots, price=price, client_id=client_id)


def price_of(exchange):
    return exchange.views.contract(SYMBOL).reference_price


def deposit(exchange):
    return exchange.submit_rare(m.Deposit(member="acme", amount_fen=1))


async def test_an_answer_has_exactly_the_events_of_its_commands(config):
    exchange = await trading(config)
    price, seen = price_of(exchange), []
    exchange.subscribe(seen.append)
    sell, buy = await asyncio.gather(
        exchange.submit_hot(order(exchange, Side.SELL, 5, price, client_id=7), 2),
        exchange.submit_hot(order(exchange, Side.BUY, 3, price), 3),
    )
    assert buy.first_seq == sell.first_seq + 1
    assert set(sell.events["seq"]) == {sell.first_seq}
    assert set(buy.events["seq"]) == {buy.first_seq}
    assert sell.events["account"][0] == 2  # never what the sender wrote
    assert sell.events["client_id"][0] == 7
    assert EventKind.TRADE in buy.events["kind"]
    assert [(a.first_seq, a.last_seq) for a in seen] == [(sell.first_seq, buy.first_seq)]  # one frame
    assert [t.lots for t in exchange.views.trades(SYMBOL)] == [3]
    (fill,) = exchange.views.fills(3)
    assert (fill.liquidity, fill.side, fill.lots) == ("taker", "buy", 3)
    (resting,) = exchange.views.open_orders(2)
    assert (resting.open_lots, resting.lots, resting.client_id) == (2, 5, 7)
    done = await exchange.submit_hot(cancel(account=0, order_id=resting.order_id), 2)
    assert EventKind.CANCELLED in done.events["kind"]
    exchange.check()
    await exchange.close()


async def test_nothing_is_applied_or_acknowledged_before_it_is_durable(config):
    files = GatedFiles()
    exchange = await trading(config, files)
    seq = exchange.views.seq
    files.gate.clear()
    waiting = asyncio.create_task(exchange.submit_hot(order(exchange, Side.SELL, 1, price_of(exchange)), 2))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not waiting.done()
    assert exchange.views.seq == seq
    assert exchange.views.open_orders(2) == []
    files.gate.set()
    assert (await waiting).ok
    assert exchange.views.seq == seq + 1
    await exchange.close()


class SteppedFiles(OsFiles):
    """Real files that, once `stepping`, let one sync pass for each permit."""

    def __init__(self) -> None:
        self.stepping = False
        self.permits = threading.Semaphore(0)

    def sync(self, descriptor: int) -> None:
        if self.stepping:
            self.permits.acquire(timeout=30)
        super().sync(descriptor)


async def test_each_frame_waits_for_its_own_sync(config):
    files = SteppedFiles()
    exchange = await trading(config, files)
    seq = exchange.views.seq
    files.stepping = True
    waiting = []
    for _ in range(2):
        waiting.append(asyncio.create_task(deposit(exchange)))
        await asyncio.sleep(0.05)  # the first is in its sync before the second is appended
    for done in (1, 2):
        files.permits.release()
        await waiting[done - 1]
        await asyncio.sleep(0.05)
        assert exchange.views.seq == seq + done
        assert [task.done() for task in waiting] == [True, done == 2]
    files.stepping = False
    await exchange.close()


async def test_what_arrives_during_a_sync_keeps_its_order(config):
    files = GatedFiles()
    exchange = await trading(config, files)
    price = price_of(exchange)
    files.gate.clear()
    sells = [exchange.submit_hot(order(exchange, Side.SELL, 1, price + i), 2) for i in range(50)]
    tasks = [asyncio.create_task(one) for one in (*sells, deposit(exchange))]
    await asyncio.sleep(0.01)
    buys = [exchange.submit_hot(order(exchange, Side.BUY, 1, price - 9), 3) for _ in range(3)]
    tasks += [asyncio.create_task(one) for one in buys]
    await asyncio.sleep(0.01)
    assert exchange.waiting_commands == 54
    files.gate.set()
    results = await asyncio.gather(*tasks)
    seqs = [result.first_seq if hasattr(result, "first_seq") else result.seq for result in results]
    assert seqs == list(range(seqs[0], seqs[0] + 54))
    assert exchange.waiting_commands == 0
    await exchange.close()


async def test_a_full_queue_says_busy_and_forgets_nothing(config):
    files = GatedFiles()
    exchange = await trading(dataclasses.replace(config, queue_commands_max=8), files)
    files.gate.clear()
    block = np.concatenate([order(exchange, Side.SELL, 1, price_of(exchange)) for _ in range(5)])
    first = asyncio.create_task(exchange.submit_hot(block, 2))
    await asyncio.sleep(0)
    assert (await exchange.submit_hot(block, 2)).code is RejectCode.BUSY
    rare = asyncio.create_task(deposit(exchange))
    await asyncio.sleep(0)
    files.gate.set()
    assert (await first).ok
    assert (await rare).ok
    assert len(exchange.views.open_orders(2)) == 5
    assert (await exchange.submit_hot(block, 2)).ok
    await exchange.close()


async def test_another_key_that_is_refused_leaves_nothing_behind_it_waiting(config):
    files = GatedFiles()
    exchange = await trading(dataclasses.replace(config, queue_commands_max=8), files)
    one = order(exchange, Side.SELL, 1, price_of(exchange))
    files.gate.clear()
    tasks = []
    for _ in range(2):  # the second gathers while the journal is busy with the first
        exchange.note_sender(2, "first key")
        tasks.append(asyncio.create_task(exchange.submit_hot(one, 2)))
        await asyncio.sleep(0.01)
    exchange.note_sender(2, "second key")
    assert (await exchange.submit_hot(np.concatenate([one] * 8), 2)).code is RejectCode.BUSY
    files.gate.set()
    answers = await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert [answer.ok for answer in answers] == [True, True]
    assert len(exchange.views.open_orders(2)) == 2
    await exchange.close()


async def test_a_failed_sync_stops_acknowledging_for_good_and_reading_goes_on(config):
    files = GatedFiles()
    exchange = await trading(config, files)
    good = await exchange.submit_hot(order(exchange, Side.SELL, 1, price_of(exchange)), 2)
    durable = exchange.views.state_hash()
    files.fail = True
    lost = await exchange.submit_hot(order(exchange, Side.SELL, 2, price_of(exchange)), 2)
    assert good.ok
    assert lost.code is RejectCode.NOT_ACKNOWLEDGING
    assert "Input/output error" in str(exchange.failure)
    files.fail = False  # a later success proves nothing about what failed
    assert (await deposit(exchange)).code is RejectCode.NOT_ACKNOWLEDGING
    assert exchange.views.state_hash() == durable
    assert not exchange.status().acknowledging
    await exchange.close()
    reopened = await Exchange.open(config, ManualClock(0))
    assert len(reopened.views.open_orders(2)) in (1, 2)  # the lost one's outcome was unknown
    reopened.check()
    await reopened.close()


async def test_a_restart_gives_the_same_state_and_goes_on(config):
    exchange = await trading(config)
    price = price_of(exchange)
    await exchange.submit_hot(order(exchange, Side.SELL, 5, price), 2)
    await exchange.submit_hot(order(exchange, Side.BUY, 3, price), 3)
    before, trades = exchange.views.state_hash(), exchange.views.trades(SYMBOL)
    await exchange.close()
    clock = ManualClock(0)
    again = await Exchange.open(config, clock)
    assert again.views.state_hash() == before
    assert again.views.trades(SYMBOL) == trades
    assert clock.now_ns() == moment_ns(date(2026, 12, 4), time(9, 30))  # goes on from the last time
    assert (await again.submit_hot(order(again, Side.BUY, 2, price), 3)).ok
    assert again.views.open_orders(2) == []
    again.check()
    await again.close()


async def test_one_process_at_a_time(config):
    exchange = await Exchange.open(config, ManualClock(START))
    with pytest.raises(JournalLocked):
        await Exchange.open(config, ManualClock(START))
    await exchange.close()
    await (await Exchange.open(config, ManualClock(START))).close()


async def test_closing_answers_what_came_before_and_refuses_what_comes_after(config):
    exchange = await trading(config)
    last = asyncio.create_task(deposit(exchange))
    await asyncio.sleep(0)
    await exchange.close()
    assert (await last).ok
    assert (await deposit(exchange)).code is RejectCode.STOPPING
    assert (await exchange.submit_hot(empty_commands(1), 2)).code is RejectCode.STOPPING
    await exchange.close()


async def test_what_is_malformed_never_reaches_the_journal(config):
    exchange = await Exchange.open(config, ManualClock(START))
    for wrong in (
        m.Deposit(member="a", amount_fen=2**70),
        m.Deposit(member="\ud800", amount_fen=1),
        m.Deposit(member="a", amount_fen="5"),
        m.AddMember(name="a", kind="emperor"),
    ):
        assert (await exchange.submit_rare(wrong)).code is RejectCode.INVALID_COMMAND
    too_many = empty_commands(exchange.config.frame_commands_max + 1)
    assert (await exchange.submit_hot(too_many, 1)).code is RejectCode.INVALID_COMMAND
    assert (await exchange.submit_hot(empty_commands(0), 1)).ok
    with pytest.raises(TypeError, match="COMMAND"):
        await exchange.submit_hot(np.zeros(1, np.int64), 1)
    assert exchange.views.seq == 0
    await exchange.close()


async def test_any_bytes_are_safe_as_commands(config):
    exchange = await trading(config)
    rng = np.random.default_rng(3)
    for _ in range(20):
        noise = np.frombuffer(rng.bytes(COMMAND.itemsize * 200), COMMAND)
        result = await exchange.submit_hot(noise, int(rng.integers(2, 4)))
        assert result.ok
        assert set(result.events["seq"]) <= set(range(result.first_seq, result.first_seq + 200))
    exchange.check()
    await exchange.close()


async def test_damage_or_a_missing_master_key_stops_the_start(config):
    exchange = await trading(config)
    await exchange.close()
    key = config.master_key_file.read_bytes()
    config.master_key_file.unlink()
    with pytest.raises(MasterKeyError, match="missing"):
        await Exchange.open(config, ManualClock(0))
    config.master_key_file.write_bytes(key)
    config.master_key_file.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        await Exchange.open(config, ManualClock(0))
    config.master_key_file.chmod(0o600)
    (segment,) = (config.data_dir / "journal").glob("*.journal")
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(JournalDamage):
        await Exchange.open(config, ManualClock(0))


async def test_more_than_a_frame_holds_becomes_several_and_all_are_answered(config):
    exchange = await trading(dataclasses.replace(config, frame_commands_max=7))
    price, frames = price_of(exchange), []
    exchange.subscribe(frames.append)
    sizes = [3, 3, 3, 7, 1, 1, 6, 2]
    blocks = [np.concatenate([order(exchange, Side.SELL, 1, price)] * size) for size in sizes]
    waiting = [exchange.submit_hot(block, 2) for block in blocks]
    results = await asyncio.gather(*waiting[:5], deposit(exchange), *waiting[5:])
    assert all(result.ok for result in results)
    assert [frame.last_seq - frame.first_seq + 1 for frame in frames] == [6, 3, 7, 1, 1, 7, 2]
    hot = [result for result in results if hasattr(result, "events")]
    accepted = [int((result.events["kind"] == EventKind.ACCEPTED).sum()) for result in hot]
    assert accepted == sizes
    await exchange.close()


async def test_what_became_durable_together_is_applied_in_turns(config):
    files = GatedFiles()
    exchange = await trading(config, files)
    loop, told = asyncio.get_running_loop(), []
    exchange.subscribe(lambda frame: (told.append(frame.last_seq), loop.call_soon(told.append, "a turn")))
    files.gate.clear()
    first = exchange.views.seq
    block = np.concatenate([cancel(account=2, order_id=1)] * TURN_COMMANDS)
    waiting = [asyncio.ensure_future(deposit(exchange))]  # the journal is busy with it while the rest come
    await asyncio.sleep(0)
    waiting += [asyncio.ensure_future(exchange.submit_hot(block, 2)) for _ in range(2)]
    await asyncio.sleep(0)
    files.gate.set()
    for result in (await asyncio.gather(*waiting))[1:]:
        assert result.events["seq"].tolist() == list(range(result.first_seq, result.first_seq + len(block)))
    ends = [first + 1, first + 1 + TURN_COMMANDS, first + 1 + 2 * TURN_COMMANDS]
    assert [end for end in told if end != "a turn"] == ends
    assert "a turn" in told[told.index(ends[1]) : told.index(ends[2])]
    await exchange.close()


async def test_what_comes_between_turns_is_answered_though_nothing_comes_after_it(config):
    files = GatedFiles()
    exchange = await trading(config, files)
    files.gate.clear()
    block = np.concatenate([cancel(account=2, order_id=1)] * TURN_COMMANDS)
    waiting, late = [asyncio.ensure_future(deposit(exchange))], []
    await asyncio.sleep(0)
    waiting += [asyncio.ensure_future(exchange.submit_hot(block, 2)) for _ in range(3)]
    await asyncio.sleep(0)

    def submit_late(frame):
        if frame.last_seq - frame.first_seq + 1 == len(block) and not late:
            late.append(asyncio.ensure_future(deposit(exchange)))

    exchange.subscribe(submit_late)
    files.gate.set()
    results = await asyncio.gather(*waiting)
    async with asyncio.timeout(10):  # it would wait for the next command, and here is none
        answer = await late[0]
    assert answer.ok
    assert answer.seq > results[-1].first_seq
    await exchange.close()


async def test_a_listener_that_raises_is_dropped_and_the_market_goes_on(config):
    exchange = await trading(config)
    reported, seen = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def broken(applied):
        raise ValueError("a reader's fault")

    drop = exchange.subscribe(broken)
    stop = exchange.subscribe(seen.append)
    for _ in range(3):
        assert (await deposit(exchange)).ok
    assert len(reported) == 1
    assert len(seen) == 3
    for unsubscribe in (drop, stop, stop):
        unsubscribe()
    assert (await deposit(exchange)).ok
    assert len(seen) == 3
    await exchange.close()
