"""The binary gateway: what a session is told, who else is, and how it ends."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import msgspec
import numpy as np
import pytest
from binary_session import Heard, Wire, hear_out, hear_until, wired

from exchange.api.binary import (
    MAKER,
    REQUEST_SIZE,
    Answer,
    AnswerKind,
    CloseCode,
    RequestKind,
    unpack_answer,
)
from exchange.client import Profile
from exchange.client.binary import BinaryClient, SessionClosed, logon_bytes, new_logon
from exchange.gateway.binary.gateway import BinaryLimits
from exchange.gateway.rates import RateLimit
from matching.records import COMMAND, CommandKind, EventKind, Side, cancel, mass_cancel, publish_indicative


async def test_both_sides_of_a_trade_are_told_from_their_own_point_of_view(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        seller, buyer = (
            await wire.served.admit("red", "provider"),
            await wire.served.admit("blue", "enterprise"),
        )
        async with await wire.connect(seller) as maker, await wire.connect(buyer) as taker:
            await maker.send(wire.order(Side.SELL, quantity=5, client_id=7))
            resting = await hear_until(maker, Heard(), 1)
            await taker.send(wire.order(Side.BUY, quantity=2, client_id=9))
            took = await hear_until(taker, Heard(), 1)
            while not len(resting.of(EventKind.TRADE)):
                resting.add(await maker.receive())
        (made,), (taken,) = resting.of(EventKind.TRADE), took.of(EventKind.TRADE)
        assert int(made["order_id"]) == int(resting.of(EventKind.ACCEPTED)["order_id"][0])
        assert int(taken["order_id"]) == int(took.of(EventKind.ACCEPTED)["order_id"][0])
        assert (int(made["account"]), int(taken["account"])) == (int(seller.account), int(buyer.account))
        assert (int(made["remaining"]), int(taken["remaining"])) == (3, 0)
        assert (int(made["side"]), int(taken["side"])) == (Side.SELL, Side.BUY)
        assert (int(made["flags"]), int(taken["flags"])) == (MAKER, 0)
        for row in (made, taken):
            assert (int(row["contra_id"]), int(row["contra_account"]), int(row["contra_remaining"])) == (
                0,
                -1,
                0,
            )
        assert int(made["client_id"]) == 0, "the taker's own id is nobody else's affair"
        assert set(np.concatenate([resting.events, took.events])["kind"].tolist()) <= {
            EventKind.ACCEPTED,
            EventKind.TRADE,
        }


async def test_account_seq_and_time_of_a_record_are_overwritten(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red, blue = await wire.served.admit("red", "provider"), await wire.served.admit("blue", "enterprise")
        forged = np.frombuffer(bytearray(wire.order(Side.SELL)), COMMAND)
        forged["account"], forged["seq"], forged["time_ns"] = int(blue.account), 2**60, 2**60
        async with await wire.connect(red) as client:
            await client.send(forged.tobytes())
            heard = await hear_until(client, Heard(), 1)
        assert heard.events["account"].tolist() == [int(red.account)]
        assert heard.events["seq"].tolist() == [wire.served.exchange.views.seq]
        (block,) = heard.told(AnswerKind.BLOCK)
        assert block.time_ns == wire.served.clock.now_ns()


async def test_blocks_number_the_commands_and_name_their_seqs(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red) as client:
            assert client.welcome.number == 1
            await client.send(b"".join(wire.order(Side.SELL, client_id=number) for number in range(1, 501)))
            heard = await hear_until(client, Heard(), 500)
        accepted = heard.of(EventKind.ACCEPTED)
        seq_of = {int(row["client_id"]): int(row["seq"]) for row in accepted}
        for block in heard.told(AnswerKind.BLOCK):
            for at in range(block.count):
                assert seq_of[block.number + at] == block.seq + at
        assert len(seq_of) == 500


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CommandKind.INDICATIVE, CloseCode.OPERATOR_ONLY),
        (0, CloseCode.UNKNOWN_KIND),
        (99, CloseCode.UNKNOWN_KIND),
        (255, CloseCode.UNKNOWN_KIND),
        (RequestKind.LOGOUT, CloseCode.LOGGED_OUT),
    ],
)
async def test_a_kind_that_may_not_be_sent_ends_the_session_after_what_came_before(
    tmp_path: Path, kind: int, code: CloseCode
) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        wrong = publish_indicative(instrument=wire.contract)
        wrong["kind"] = kind
        async with await wire.connect(red) as client:
            orders = wire.order(Side.SELL) * 3
            await client.send(orders + wrong.tobytes() + orders)
            heard = await hear_out(client)
        assert heard.closed is code
        assert heard.answered() == len(heard.of(EventKind.ACCEPTED)) == 3
        assert len(wire.served.exchange.views.open_orders(int(red.account))) == 3


async def test_a_stream_that_ends_within_a_record_is_told_so(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        reader, writer = await asyncio.open_connection(wire.host, wire.port)
        writer.write(logon_bytes(red, new_logon(red)) + wire.order(Side.SELL) + b"\x01" * 71)
        writer.write_eof()
        answers = [unpack_answer(raw) for raw in in_records(await reader.read())]
        assert (answers[0].kind, answers[-1].kind) == (AnswerKind.WELCOME, AnswerKind.CLOSE)
        assert answers[-1].code == CloseCode.INCOMPLETE_RECORD
        assert sum(answer.count for answer in answers if answer.kind == AnswerKind.BLOCK) == 1
        writer.close()


def in_records(data: bytes) -> list[bytes]:
    assert len(data) % 64 == 0
    return [data[at : at + 64] for at in range(0, len(data), 64)]


async def refusal(wire: Wire, raw: bytes) -> CloseCode:
    """What the server says to these first bytes."""
    reader, writer = await asyncio.open_connection(wire.host, wire.port)
    writer.write(raw)
    (answer,) = [unpack_answer(record) for record in in_records(await reader.read())]
    writer.close()
    assert answer.kind == AnswerKind.CLOSE
    return CloseCode(answer.code)


async def test_logons_that_are_refused(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        good = new_logon(red)
        raw = logon_bytes(red, good)
        assert await refusal(wire, b"GET / HTTP/1.1\r\n" * 9) is CloseCode.MALFORMED_LOGON
        assert await refusal(wire, raw[:87] + b"\x01" + raw[88:]) is CloseCode.MALFORMED_LOGON
        assert await refusal(wire, raw[:-1] + bytes([raw[-1] ^ 1])) is CloseCode.BAD_SIGNATURE
        unknown = msgspec.structs.replace(good, key_id="k0123456789abcdef")
        assert await refusal(wire, logon_bytes(red, unknown)) is CloseCode.BAD_SIGNATURE
        old = msgspec.structs.replace(good, timestamp_ms=good.timestamp_ms - 31_000)
        assert await refusal(wire, logon_bytes(red, old)) is CloseCode.STALE_TIMESTAMP
        operator = wire.served.operator
        assert await refusal(wire, logon_bytes(operator, new_logon(operator))) is CloseCode.SCOPE_REQUIRED
        async with await wire.connect(red, good):
            assert await refusal(wire, raw) is CloseCode.NONCE_REPLAYED


async def test_a_revoked_key_ends_its_session(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red) as client, wire.served.client(wire.served.operator) as operator:
            await operator.revoke_key(red.key_id)
            assert (await hear_out(client)).closed is CloseCode.KEY_ENDED


async def test_a_client_that_says_nothing_is_told_and_closed(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        logon = new_logon(red, heartbeat_ms=100)
        reader, writer = await asyncio.open_connection(wire.host, wire.port)
        writer.write(logon_bytes(red, logon))
        answers = [unpack_answer(raw) for raw in in_records(await reader.read())]
        kinds = [answer.kind for answer in answers]
        assert kinds[0] == AnswerKind.WELCOME
        assert AnswerKind.HEARTBEAT in kinds
        assert answers[-1].code == CloseCode.HEARTBEAT_MISSED
        writer.close()


async def test_heartbeats_keep_an_idle_session_alive(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red, new_logon(red, heartbeat_ms=100)) as client:
            heard = Heard()
            while len(heard.told(AnswerKind.HEARTBEAT)) < 6:  # twice the time that closes a silent client
                heard.add(await client.receive())
            assert wire.gateway.connected(int(red.account)) == 1


async def test_orders_of_the_group_are_cancelled_when_the_connection_breaks(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        account = int(red.account)
        async with await wire.connect(red) as watcher:
            client = await wire.connect(red, new_logon(red, cancel_group=5))
            await client.send(wire.order(Side.SELL, group=5) * 4 + wire.order(Side.SELL, group=6) * 2)
            await hear_until(client, Heard(), 6)
            await client.close()
            heard = Heard()
            while not len(heard.of(EventKind.MASS_CANCELLED)):
                heard.add(await watcher.receive())
        assert len(heard.of(EventKind.CANCELLED)) == 4
        assert len(wire.served.exchange.views.open_orders(account)) == 2


async def test_a_planned_end_answers_cancels_and_says_why(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red, new_logon(red, cancel_group=0)) as client:
            await client.send(wire.order(Side.SELL) * 100)
            await hear_until(client, Heard(), 100)
            stopping = asyncio.create_task(wire.gateway.stop())
            heard = await hear_out(client)
            await stopping
        assert heard.closed is CloseCode.STOPPING
        await wire.served.exchange.drain()
        assert wire.served.exchange.views.open_orders(int(red.account)) == []


async def test_a_session_goes_on_after_a_reconnect_without_loss_or_double(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        total, session, told = 2_000, secrets.randbits(64), {}
        stream = b"".join(wire.order(Side.SELL, client_id=number) for number in range(1, total + 1))
        after_seq, sent = wire.served.exchange.views.seq, 0
        dice = np.random.default_rng(4)
        while len(told) < total:
            client = await wire.connect(red, new_logon(red, session=session, after_seq=after_seq))
            sent = (client.welcome.number - 1) * REQUEST_SIZE
            cut = sent + int(dice.integers(1, 300 * REQUEST_SIZE))  # anywhere, also within a record
            client._writer.write(stream[sent:cut])
            heard = Heard()
            wanted = int(dice.integers(0, (cut - sent) // REQUEST_SIZE + 1)) if cut < len(stream) else 0
            while not heard.told(AnswerKind.RESENT) or heard.answered() < wanted:
                heard.add(await client.receive())
            for row in heard.of(EventKind.ACCEPTED):
                assert told.setdefault(int(row["client_id"]), int(row["order_id"])) == int(row["order_id"])
                after_seq = max(after_seq, int(row["seq"]) - 1)
            await client.close()
        assert sorted(told) == list(range(1, total + 1))
        orders = wire.served.exchange.views.open_orders(int(red.account))
        assert sorted(order.client_id for order in orders) == sorted(told)


async def test_a_resend_of_what_is_not_held_any_more_asks_to_resync(tmp_path: Path) -> None:
    async with wired(tmp_path, BinaryLimits(unread_bytes_max=2 * 64 * 100)) as wire:
        red = await wire.served.admit("red", "provider")
        before = wire.served.exchange.views.seq
        async with await wire.connect(red) as client:
            await client.send(wire.order(Side.SELL) * 101)
            await hear_until(client, Heard(), 101)
        async with await wire.connect(red, new_logon(red, after_seq=before)) as client:
            heard = Heard()
            while not heard.told(AnswerKind.RESENT):
                heard.add(await client.receive())
        assert heard.told(AnswerKind.RESENT) == [
            Answer(kind=AnswerKind.RESENT, seq=wire.served.exchange.views.seq, code=1)
        ]
        assert len(heard.events) == 0


async def test_the_same_session_twice_closes_the_older_connection(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red, new_logon(red, session=3)) as older:
            await older.send(wire.order(Side.SELL))
            await hear_until(older, Heard(), 1)
            async with await wire.connect(red, new_logon(red, session=3)) as newer:
                assert (await hear_out(older)).closed is CloseCode.REPLACED
                assert (newer.welcome.number, newer.welcome.code) == (2, 1)


async def test_a_key_logs_on_no_oftener_than_it_may(tmp_path: Path) -> None:
    async with wired(tmp_path, BinaryLimits(logons=RateLimit(1, 2))) as wire:
        red, blue = await wire.served.admit("red", "provider"), await wire.served.admit("blue", "enterprise")
        with pytest.raises(SessionClosed) as refused:  # clause 9.12
            for _ in range(10):
                async with await wire.connect(red):
                    pass
        assert refused.value.code is CloseCode.LOGON_REFUSED
        async with await wire.connect(blue):
            pass


async def test_more_connections_than_allowed_are_refused(tmp_path: Path) -> None:
    async with wired(tmp_path, BinaryLimits(connections_max=1)) as wire:
        red = await wire.served.admit("red", "provider")
        async with await wire.connect(red):
            with pytest.raises(SessionClosed) as refused:
                await wire.connect(red)
        assert refused.value.code is CloseCode.TOO_MANY_CONNECTIONS


async def test_a_client_that_never_reads_slows_nobody_and_is_cut(tmp_path: Path) -> None:
    async with wired(tmp_path, BinaryLimits(unread_bytes_max=1 << 18)) as wire:
        red, blue = await wire.served.admit("red", "provider"), await wire.served.admit("blue", "enterprise")
        deaf = await wire.connect(red)
        await deaf.send(wire.order(Side.SELL, quantity=1) * 4)
        async with await wire.connect(blue) as client:
            heard, commands = Heard(), 0
            while wire.gateway.connected(int(red.account)):  # fills of the account pile up unread
                order = wire.order(Side.SELL) + wire.order(Side.BUY)
                await client.send(order * 500 + mass_cancel(account=0).tobytes())
                await deaf_orders(wire, red)
                commands += 1_001
                await hear_until(client, heard, commands)
            assert wire.gateway.connected(int(blue.account)) == 1
            assert heard.answered() == commands
        await deaf.close()


async def deaf_orders(wire: Wire, profile: Profile) -> None:
    """Orders of an account over another way than its deaf session, whose events pile up there."""
    commands = np.frombuffer(bytearray(wire.order(Side.SELL, price=1_191) * 2_000), COMMAND)
    await wire.served.exchange.submit_hot(commands, int(profile.account))
    await wire.served.exchange.submit_hot(mass_cancel(account=0), int(profile.account))


async def test_commands_of_every_kind(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire:
        red = await wire.served.admit("red", "provider")
        async with await BinaryClient.connect(wire.host, wire.port, red) as client:
            await client.send(wire.order(Side.SELL, quantity=3))
            heard = await hear_until(client, Heard(), 1)
            order_id = int(heard.of(EventKind.ACCEPTED)["order_id"][0])
            await client.send(cancel(account=0, order_id=order_id).tobytes())
            await client.send(cancel(account=0, order_id=order_id).tobytes())
            await client.send(mass_cancel(account=0).tobytes())
            await hear_until(client, heard, 4)
        assert heard.events["kind"].tolist() == [
            EventKind.ACCEPTED,
            EventKind.CANCELLED,
            EventKind.REJECTED,
            EventKind.MASS_CANCELLED,
        ]
