"""What is written can be read again, exactly; what is written otherwise is refused with its code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import exchange.api
from exchange.api import feed
from exchange.api.answers import Answer
from exchange.api.codes import RequestCode, RequestRefused
from exchange.api.formats import (
    PRICE_DIGITS_MAX,
    UINT64_MAX,
    day_text,
    parse_day,
    parse_id,
    parse_price_ticks,
    parse_time_ns,
    price_text,
    time_text,
)
from exchange.api.requests import AddMember, Request

INT64_MAX = 2**63 - 1
NS_PER_US = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
price_ticks = st.integers(0, 10**PRICE_DIGITS_MAX * 100 - 1)
times_ns = st.integers(-(2**63) // NS_PER_US + 1, INT64_MAX // NS_PER_US).map(lambda us: us * NS_PER_US)


API = [import_module(found.name) for found in iter_modules(exchange.api.__path__, "exchange.api.")]


def structs(modules: Sequence[ModuleType], base: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The message types that the modules define."""
    kinds = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == module.__name__
    ]
    return [kind for kind in kinds if kind is not base]


@given(price_ticks)
def test_a_price_comes_back(ticks: int) -> None:
    assert parse_price_ticks(price_text(ticks)) == ticks
    assert Decimal(price_text(ticks)) == Decimal(ticks) / 100
    assert price_text(-ticks) == ("-" if ticks else "") + price_text(ticks)


@given(whole=st.integers(0, 10**PRICE_DIGITS_MAX - 1), fraction=st.text("0123456789", max_size=18))
def test_a_price_is_read_exactly_or_is_off_the_tick(whole: int, fraction: str) -> None:
    text = f"{whole}.{fraction}" if fraction else str(whole)
    exact = Decimal(text) * 100
    if exact == exact.to_integral_value():
        assert parse_price_ticks(text) == exact
    else:
        with pytest.raises(RequestRefused) as refused:
            parse_price_ticks(text, "reserve_price")
        assert (refused.value.code, refused.value.field) == ("PRICE_OFF_TICK", "reserve_price")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1.00",
        "+1",
        "1.",
        ".5",
        "1e3",
        "1,5",
        " 1",
        "1 ",
        "1_0",
        "٣.00",
        "1234567890",
        "nan",
        "0x1",
        "1\n",
    ],
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_price_ticks(text)
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "price")


@given(times_ns)
def test_a_time_comes_back_and_is_that_moment(time_ns: int) -> None:
    text = time_text(time_ns)
    assert parse_time_ns(text, "time") == time_ns
    assert text.endswith("+08:00")
    assert datetime.fromisoformat(text) - EPOCH == timedelta(microseconds=time_ns // NS_PER_US)


@given(times_ns, st.integers(-23 * 60, 23 * 60), st.sampled_from(["T", "t", " "]))
def test_a_time_is_the_same_moment_in_any_offset(time_ns: int, minutes: int, separator: str) -> None:
    moment = EPOCH + timedelta(microseconds=time_ns // NS_PER_US)
    text = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(separator)
    assert parse_time_ns(text, "time") == time_ns
    assert parse_time_ns(moment.isoformat().replace("+00:00", "z"), "time") == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-12-04",
        "2026-12-04T09:00:00",
        "2026-12-04T09:00+08:00",
        "2026-12-04T09:00:00+0800",
        "20261204T090000+08:00",
        "2026-W49-5T09:00:00+08:00",
        "2026-13-04T09:00:00+08:00",
        "2026-12-04T25:00:00+08:00",
        "2026-12-04T09:00:00+25:00",
        "1600-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+23:59",
        "２026-12-04T09:00:00+08:00",
        "2026-12-04T09:00:00+08:00\n",
    ],
)
def test_what_is_no_time_or_outside_int64_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_time_ns(text, "hour_start")
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "hour_start")


@given(st.dates(date(1678, 1, 1), date(2261, 12, 31)))
def test_a_day_comes_back(day: date) -> None:
    assert parse_day(day_text(day), "day") == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-12-4",
        "20261204",
        "2026-W49-5",
        "2026-02-30",
        "04.12.2026",
        "2026/12/04",
        "２026-12-04",
        "1677-12-31",
        "2262-01-01",
        "9999-12-31",
    ],
)
def test_what_is_no_day_or_outside_int64_is_refused_with_the_given_code(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_day(text, "first_day", RequestCode.INVALID_PARAMETER)
    assert (refused.value.code, refused.value.field) == ("INVALID_PARAMETER", "first_day")


@given(st.integers(0, UINT64_MAX), st.integers(0, UINT64_MAX))
def test_an_id_comes_back_up_to_its_maximum(number: int, maximum: int) -> None:
    if number <= maximum:
        assert parse_id(str(number), "id", maximum) == number
    else:
        with pytest.raises(RequestRefused, match=f"from 0 to {maximum}"):
            parse_id(str(number), "id", maximum)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "01", "1.0", " 1", "٣", "1_0", str(UINT64_MAX + 1), "9" * 30]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_id(text, "order_id")
    assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "order_id")


@pytest.mark.parametrize("kind", structs(API, Answer), ids=lambda kind: kind.__name__)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_answer_comes_back_and_may_gain_fields(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    message = data.draw(of(kind))
    assert_comes_back(message, kind)
    later = msgspec.to_builtins(message) | {"a_later_field": 1}
    assert msgspec.json.decode(msgspec.json.encode(later), type=kind) == message


@pytest.mark.parametrize("kind", structs(API, Request), ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_every_request_comes_back_and_takes_no_other_field(
    kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    message = data.draw(of(kind))
    assert_comes_back(message, kind)
    more = msgspec.to_builtins(message) | {"another_field": 1}
    with pytest.raises(msgspec.ValidationError, match="unknown field `another_field`"):
        msgspec.json.decode(msgspec.json.encode(more), type=kind)


@pytest.mark.parametrize("name", ["b", "Blue", "1a", "a b", "blue\n", "a" * 33, "blü", "../a"])
def test_what_is_no_member_name_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"at `\$\.name`"):
        msgspec.convert({"name": name, "kind": "enterprise"}, AddMember)


@pytest.mark.parametrize(
    ("kind", "union"),
    [
        *[(kind, feed.FeedRequest) for kind in (feed.Subscribe, feed.Unsubscribe, feed.Ping)],
        *[
            (kind, feed.FeedMessage)
            for kind in structs([feed], msgspec.Struct)
            if kind.__name__.startswith("Feed")
        ],
    ],
)
@settings(max_examples=20)
@given(data=st.data())
def test_every_message_of_the_feed_is_told_apart(
    kind: type[msgspec.Struct], union: object, data: st.DataObject
) -> None:
    assert_comes_back(data.draw(of(kind)), union)


def assert_comes_back(message: msgspec.Struct, kind: object) -> None:
    again = msgspec.json.decode(msgspec.json.encode(message), type=kind)
    assert type(again) is type(message)
    assert again == message


def of(kind: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Messages of a type, drawn from what its annotations allow."""
    return drawn(msgspec.inspect.type_info(kind))


PLAIN: dict[type, st.SearchStrategy[object]] = {
    msgspec.inspect.BoolType: st.booleans(),
    msgspec.inspect.NoneType: st.none(),
    msgspec.inspect.AnyType: st.dictionaries(
        st.text(max_size=5), st.integers(-(2**53), 2**53) | st.text(max_size=5), max_size=3
    ),
}


def drawn(kind: msgspec.inspect.Type) -> st.SearchStrategy[object]:
    """Values of a type as `msgspec.inspect` describes it."""
    if type(kind) in PLAIN:
        return PLAIN[type(kind)]
    match kind:
        case msgspec.inspect.Metadata():
            return drawn(kind.type)
        case msgspec.inspect.StructType():
            return st.builds(
                kind.cls,
                **{field.name: drawn(field.type) for field in kind.fields},
            )
        case msgspec.inspect.UnionType():
            return st.one_of([drawn(each) for each in kind.types])
        case msgspec.inspect.ListType():
            least = kind.min_length or 0
            return st.lists(
                drawn(kind.item_type), min_size=least, max_size=max(least, min(kind.max_length or 3, 3))
            )
        case msgspec.inspect.VarTupleType():
            return st.lists(drawn(kind.item_type), max_size=3).map(tuple)
        case msgspec.inspect.DictType():
            return st.dictionaries(drawn(kind.key_type), drawn(kind.value_type), max_size=3)
        case msgspec.inspect.TupleType():
            return st.tuples(*[drawn(each) for each in kind.item_types])
        case msgspec.inspect.LiteralType():
            return st.sampled_from(kind.values)
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return number(kind)
        case msgspec.inspect.StrType():
            return text(kind)
    raise NotImplementedError(kind)


def number(kind: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> st.SearchStrategy[int | float]:
    """Numbers within the bounds of their type."""
    if isinstance(kind, msgspec.inspect.IntType):
        return st.integers(
            -INT64_MAX if kind.ge is None else int(kind.ge), INT64_MAX if kind.le is None else int(kind.le)
        )
    least, greatest = (kind.ge if kind.gt is None else kind.gt), kind.le
    return st.floats(least, greatest, exclude_min=kind.gt is not None, allow_nan=False, allow_infinity=False)


def text(kind: msgspec.inspect.StrType) -> st.SearchStrategy[str]:
    """Strings that match the pattern of their type, or are within its lengths."""
    if kind.pattern is not None:
        return st.from_regex(kind.pattern, fullmatch=True)
    return st.text(
        st.characters(exclude_categories=["Cs"]),
        min_size=kind.min_length or 0,
        max_size=kind.max_length or 20,
    )
