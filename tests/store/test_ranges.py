"""Ranges of a remote file: exactly those asked for, or an error; never other bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.errors import HubError
from surgery.store.hub_address import HubAddress
from surgery.store.patience import Patience
from surgery.store.ranges import RangeReader, coalesce
from tests.hub.faults import Fault, refused
from tests.hub.server import HubServer

DATA = random.Random(3).randbytes(3_000_000)
PLACE = HubAddress("org/name", "main", "a.safetensors")
QUICK = Patience(pauses=(0.0, 0.0, 0.0), longest=1.0)


@pytest.fixture(scope="module")
def server() -> Iterator[HubServer]:
    with HubServer() as running:
        running.shelf.add("org/name", {"a.safetensors": DATA, "empty.safetensors": b""})
        yield running


@pytest.fixture
def hub(server: HubServer) -> HubServer:
    server.fail()
    server.log.clear()
    return server


def reader(hub: HubServer, size: int = len(DATA)) -> RangeReader:
    url = f"{hub.endpoint}/org/name/resolve/main/a.safetensors"
    return RangeReader(PLACE, url, size, QUICK)


def test_neighbours_are_joined_and_the_rest_is_not() -> None:
    assert coalesce([(50, 60), (0, 10), (12, 20), (55, 58)], gap=5) == ((0, 20), (50, 60))
    assert coalesce([(5, 5), (9, 8)]) == ()


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 60))), st.integers(0, 30))
def test_joined_spans_cover_what_was_asked_in_order_and_apart(
    pairs: list[tuple[int, int]], gap: int
) -> None:
    spans = [(first, first + count) for first, count in pairs]
    joined = coalesce(spans, gap)
    for first, end in spans:
        assert first == end or any(a <= first and end <= b for a, b in joined)
    assert all(later[0] - before[1] > gap for before, later in pairwise(joined))


def test_a_range_is_read_from_the_other_origin_without_the_token(hub: HubServer) -> None:
    reading = reader(hub)
    assert reading.read(1000, 5000) == DATA[1000:6000]
    assert reading.read(2_000_000, 10) == DATA[2_000_000:2_000_010]
    assert [r.origin for r in hub.log] == ["hub", "store", "store"], "the place is remembered"
    assert not any("authorization" in r.headers for r in hub.log)
    assert (reading.fetched, reading.requests) == (5010, 2)


def test_close_ranges_come_by_one_request_and_far_ones_by_their_own(hub: HubServer) -> None:
    reading = reader(hub)
    spans = [(0, 100), (5000, 5100), (1_000_000, 1_000_050), (2_999_990, 3_000_000)]
    assert reading.read_many(spans) == [DATA[first:end] for first, end in spans]
    assert (reading.requests, reading.fetched) == (3, 5100 + 50 + 10)


def test_what_was_prepared_is_not_fetched_again(hub: HubServer) -> None:
    reading = reader(hub)
    reading.prepare([(100, 200), (300, 400)])
    before = len(hub.log)
    assert reading.read(300, 100) == DATA[300:400]
    assert reading.read(150, 100) == DATA[150:250]
    assert len(hub.log) == before


def test_nothing_is_asked_for_nothing(hub: HubServer) -> None:
    assert reader(hub).read(5, 0) == b""
    assert not hub.log


@pytest.mark.parametrize("span", [(0, len(DATA) + 1), (-1, 5), (len(DATA), 1)])
def test_a_range_outside_the_file_is_refused_before_any_request(
    hub: HubServer, span: tuple[int, int]
) -> None:
    with pytest.raises(HubError, match="lie outside its 3000000 bytes"):
        reader(hub).read(*span)
    assert not hub.log


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("norange", "does not send parts of files"),
        ("shift", "was asked for"),
        ("surplus", "another number of bytes"),
    ],
)
def test_other_bytes_than_those_asked_for_are_refused(hub: HubServer, kind: str, says: str) -> None:
    hub.fail(Fault(kind, path="/lfs/"))  # type: ignore[arg-type]
    with pytest.raises(HubError, match=says):
        reader(hub).read(1000, 1000)


def test_a_file_of_another_size_is_refused(hub: HubServer) -> None:
    with pytest.raises(HubError, match=r"bytes 0-9/3000000.*bytes 0-9/2999999"):
        reader(hub, size=len(DATA) - 1).read(0, 10)


def test_an_answer_that_breaks_off_is_taken_up_where_it_did(hub: HubServer) -> None:
    hub.fail(Fault("cut", path="/lfs/", after=100_000, times=5))
    reading = reader(hub)
    assert reading.read(0, 900_000) == DATA[:900_000]
    starts = [r.headers["range"] for r in hub.log if r.origin == "store"]
    assert starts[:2] == ["bytes=0-899999", "bytes=100000-899999"]
    assert reading.fetched == 900_000


def test_an_answer_that_never_gets_far_ends_in_an_error(hub: HubServer) -> None:
    hub.fail(Fault("cut", path="/lfs/", after=10))
    with pytest.raises(HubError, match="at each of 4 tries"):
        reader(hub).read(0, 100_000)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_borne(hub: HubServer, status: int) -> None:
    hub.fail(refused(status, path="/lfs/", times=2))
    assert reader(hub).read(7, 70) == DATA[7:77]


def test_a_server_that_asks_to_wait_is_waited_for(
    hub: HubServer, caplog: pytest.LogCaptureFixture
) -> None:
    hub.fail(Fault("status", status=429, headers={"Retry-After": "1"}, times=1))
    assert reader(hub).read(7, 70) == DATA[7:77]
    assert "trying again in 1 s" in caplog.text


def test_a_place_that_has_expired_is_asked_for_anew(hub: HubServer) -> None:
    reading = reader(hub)
    reading.read(0, 10)
    hub.fail(refused(403, path="/lfs/", times=1))
    assert reading.read(500_000, 10) == DATA[500_000:500_010]
    assert [r.origin for r in hub.log][-2:] == ["hub", "store"]


def test_errors_never_show_the_signed_place(hub: HubServer) -> None:
    hub.fail(refused(500, path="/lfs/"))
    with pytest.raises(HubError) as caught:
        reader(hub).read(0, 10)
    assert "secret-place" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
