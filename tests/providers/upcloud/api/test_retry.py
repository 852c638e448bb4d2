"""Who is asked again, when, and who is held back: retry, Retry-After and the token bucket under a clock of our own."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from netgw.providers.upcloud.api import (
    Call,
    Credentials,
    GatewayModify,
    GatewayReplace,
    Label,
    NotFound,
    RateLimited,
    Refused,
    ServerError,
    TimedOut,
    Timeouts,
    Timing,
    TokenBucket,
    UpCloud,
    UpCloudError,
)

ACCOUNT = {"account": {"username": "someone", "credits": 25.5}}
CHANGES = {
    "POST": lambda cloud: cloud.create_label(gateway="g", body=Label(key="ab", value="c")),
    "PUT": lambda cloud: cloud.replace_gateway(gateway="g", body=GatewayReplace(name="n", configured_status="started")),
    "PATCH": lambda cloud: cloud.modify_gateway(gateway="g", body=GatewayModify(name="n")),
    "DELETE": lambda cloud: cloud.delete_gateway(gateway="g"),
}


async def read(cloud: UpCloud) -> object:
    return (await cloud.get_account()).value


def outcome_of(net: Any, use: Any = read, **options: Any) -> type:
    """The class of what came of it."""
    try:
        return type(net.run(use, **options))
    except UpCloudError as error:
        return type(error)


@pytest.mark.parametrize(
    "bad", [500, 503, 429, 408, 307, httpx.ConnectError("no"), httpx.ReadTimeout(""), httpx.ReadError("")]
)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_read_is_tried_three_times(bad: int | Exception, times: int, network: Any, answer: Any) -> None:
    wrong = bad if isinstance(bad, Exception) else answer(bad)
    net = network(*[wrong] * times, answer(200, json=ACCOUNT))
    kind = outcome_of(net)
    assert (kind.__name__ == "Account") is (times < 3)
    assert len(net.requests) == min(times + 1, 3)
    assert net.time.slept == [0.5, 1.0][: min(times, 2)]


def test_a_read_that_cannot_be_parsed_is_tried_again(network: Any, answer: Any) -> None:
    net = network(answer(200, text="<html>"), answer(200, json=ACCOUNT))
    assert outcome_of(net).__name__ == "Account"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409])
def test_a_refused_read_is_not_tried_again(status: int, network: Any, answer: Any) -> None:
    net = network(answer(status))
    assert issubclass(outcome_of(net), Refused)
    assert len(net.requests) == 1


@pytest.mark.parametrize("bad", [500, 503, 429, httpx.ReadTimeout("")])
def test_a_sample_is_not_tried_again(bad: int | Exception, network: Any, answer: Any) -> None:
    """The next one comes anyway, and each try would take of the calls."""
    net = network(bad if isinstance(bad, Exception) else answer(bad))
    assert issubclass(outcome_of(net, lambda cloud: cloud.get_metrics(gateway="g")), UpCloudError)
    assert len(net.requests) == 1


def test_all_who_listen_hear_of_every_try(network: Any, answer: Any) -> None:
    net, heard = network(answer(500), answer(200, json=ACCOUNT)), list[Call]()

    async def use(cloud: UpCloud) -> object:
        cloud.listen(heard.append)
        return await read(cloud)

    assert outcome_of(net, use).__name__ == "Account"
    assert [call.status for call in heard] == [500, 200]
    assert heard == net.calls


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize(
    "bad", [500, 503, 429, 307, 400, httpx.ConnectError("no"), httpx.ReadTimeout(""), httpx.ReadError("")]
)
def test_a_change_goes_out_once(method: str, bad: int | Exception, network: Any, answer: Any) -> None:
    net = network(bad if isinstance(bad, Exception) else answer(bad, headers={"Retry-After": "1"}))
    assert issubclass(outcome_of(net, CHANGES[method]), UpCloudError)
    assert [request.method for request in net.requests] == [method]
    assert net.time.slept == []


def test_no_further_try_once_the_deadline_is_spent(network: Any) -> None:
    """A dead network costs one whole time-out, not three."""
    net = network()

    def slow(request: httpx.Request) -> httpx.Response:
        net.time.now += 10
        raise httpx.ReadTimeout("", request=request)

    net.script = [slow]
    assert outcome_of(net, timeout=Timeouts(total=15)) is TimedOut
    assert len(net.requests) == 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["3", "Tue, 04 Jun 2024 11:48:13 GMT"])
def test_a_short_retry_after_is_waited_for(status: int, value: str, network: Any, answer: Any) -> None:
    net = network(answer(status, headers={"Retry-After": value}), answer(200, json=ACCOUNT))
    assert outcome_of(net).__name__ == "Account"
    assert net.times == [1000.0, 1003.0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        ("60", 60.0),
        ("Tue, 04 Jun 2024 11:50:10 GMT", 120.0),
        ("999999999", 3600.0),
        ("9" * 400, 3600.0),
        ("Tue, 04 Jun 2124 11:50:10 GMT", 3600.0),
    ],
)
def test_a_long_retry_after_is_the_callers(value: str, seconds: float, network: Any, answer: Any) -> None:
    net = network(answer(429, headers={"Retry-After": value}))
    with pytest.raises(RateLimited) as caught:
        net.run(read)
    assert caught.value.retry_after == seconds
    assert (caught.value.sent, caught.value.status, len(net.requests), net.time.slept) == (True, 429, 1, [])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Tue, 04 Jun 2024 11:40:00 GMT", 0.0),
        ("0", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e3", None),
    ],
)
def test_odd_retry_after(value: str, seconds: float | None, network: Any, answer: Any) -> None:
    net = network(answer(429, headers={"Retry-After": value}))
    with pytest.raises(RateLimited) as caught:
        net.run(CHANGES["DELETE"])
    assert caught.value.retry_after == seconds


def test_retry_after_as_a_date_needs_the_clouds_clock(network: Any) -> None:
    net = network(httpx.Response(429, headers={"Retry-After": "Tue, 04 Jun 2024 11:50:10 GMT"}))
    with pytest.raises(RateLimited) as caught:
        net.run(CHANGES["DELETE"])
    assert (caught.value.retry_after, caught.value.date) == (None, None)


def test_after_a_429_nothing_is_sent_until_its_time(network: Any, answer: Any) -> None:
    net = network(answer(429, headers={"Retry-After": "30"}), answer(200, json=ACCOUNT))

    async def use(cloud: UpCloud) -> None:
        with pytest.raises(RateLimited):
            await CHANGES["DELETE"](cloud)
        for passed, missing in [(0, 30), (10, 20), (15, 5)]:
            net.time.now += passed
            with pytest.raises(RateLimited, match=f"not sent; .* in {missing} s") as caught:
                await cloud.get_account()
            assert (caught.value.retry_after, caught.value.sent, caught.value.status) == (missing, False, None)
            assert caught.value.ambiguous is False
            with pytest.raises(RateLimited):
                await CHANGES["PATCH"](cloud)
        net.time.now += 2
        await cloud.get_account()  # 3 s away: worth waiting for

    net.run(use)
    assert net.times == [1000.0, 1030.0]
    assert [call.method for call in net.calls] == ["DELETE", "GET"]


def test_a_429_also_reaches_who_waits_already(network: Any, answer: Any) -> None:
    net = network(answer(200, json=ACCOUNT))

    async def use(cloud: UpCloud) -> Any:
        await limiter.acquire(0)
        waiting = asyncio.create_task(cloud.get_account())
        await asyncio.sleep(0)
        limiter.pause(30)
        return await asyncio.gather(waiting, return_exceptions=True)

    limiter = TokenBucket(rate=1, burst=1, timing=Timing(clock=lambda: net.time.now, sleep=net.time.sleep))
    [error] = net.run(use, limiter=limiter)
    assert isinstance(error, RateLimited)
    assert error.retry_after == pytest.approx(29)
    assert net.requests == []


def test_bursts_and_rate(network: Any, answer: Any) -> None:
    """The burst at once, then the rate, in the order of asking; who would wait for more than 4 s is told at once."""
    net = network(answer(200, json=ACCOUNT))
    timing = Timing(clock=lambda: net.time.now, sleep=net.time.sleep)
    limiter = TokenBucket(rate=4, burst=20, timing=timing)

    async def use(cloud: UpCloud) -> Any:
        return await asyncio.gather(*(cloud.get_account() for _ in range(50)), return_exceptions=True)

    outcomes = net.run(use, limiter=limiter)
    assert net.times == [1000.0] * 20 + [1000.25 + 0.25 * n for n in range(16)]
    late = [outcome for outcome in outcomes if isinstance(outcome, UpCloudError)]
    assert outcomes[36:] == late
    assert [error.retry_after for error in late] == [4.25] * 14
    net.time.now += 100
    net.run(use, limiter=limiter)
    assert len(net.times) == 72


def test_turns_that_are_left() -> None:
    """All before the first is taken; somebody may scrape the metrics that early."""
    now = 0.0
    bucket = TokenBucket(rate=5, burst=20, timing=Timing(clock=lambda: now))
    assert bucket.left() == 20
    assert asyncio.run(bucket.acquire(0)) == 0.0
    assert bucket.left() == 19
    now = 0.2
    assert bucket.left() == 20
    bucket.pause(1.0)
    assert bucket.left() == 0
    now = 1.2
    assert bucket.left() == 1


def test_turns_after_a_pause_come_one_by_one() -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    bucket = TokenBucket(rate=5, burst=20, timing=Timing(clock=lambda: now, sleep=sleep))

    async def main() -> list[float]:
        bucket.pause(7.3)
        bucket.pause(1.0)  # never shortens
        times = []
        for _ in range(3):
            assert await bucket.acquire(100) == 0.0
            times.append(now)
        return times

    assert asyncio.run(main()) == pytest.approx([7.3, 7.5, 7.7])


def test_real_time_by_default(network: Any, answer: Any) -> None:
    """Without a clock of its own the client goes by the running loop's."""

    async def main() -> None:
        net = network(answer(200, json=ACCOUNT))
        async with UpCloud(Credentials(token=SecretStr("madeup_token_for_tests_2")), transport=net) as cloud:
            before = asyncio.get_running_loop().time()
            reply = await cloud.get_account()
            assert before <= reply.began <= asyncio.get_running_loop().time()

    asyncio.run(main())


def test_each_request_is_told_to_the_hook(network: Any, answer: Any) -> None:
    net = network(answer(500), httpx.ReadTimeout(""), answer(404))

    async def use(cloud: UpCloud) -> None:
        with pytest.raises(NotFound):
            await cloud.get_tunnel(gateway="g", connection="c", tunnel="t")

    net.run(use)
    route = "/gateway/{gateway}/connections/{connection}/tunnels/{tunnel}"
    assert net.calls == [Call("GET", route, status, 0.0) for status in (500, None, 404)]


def test_server_error_carries_retry_after(network: Any, answer: Any) -> None:
    net = network(answer(503, headers={"Retry-After": "120"}))
    with pytest.raises(ServerError) as caught:
        net.run(read)
    assert (caught.value.retry_after, len(net.requests)) == (120.0, 1)
