"""Where webhooks may be, when they are tried again, and what names a message."""

from __future__ import annotations

import pytest

from assessment.domain.backoff import LONGEST_INVISIBILITY_SECONDS
from assessment.domain.webhook import (
    MOST_ATTEMPTS,
    check_address,
    choose_delay,
    derive_message_id,
    read_url,
)
from assessment.domain.webhook_errors import AddressRefusedError

# IANA's registries of special-purpose addresses (RFC 6890), metadata services among them, and
# IPv6 forms that carry an IPv4 address.
NOT_PUBLIC = [
    "0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1",
    "fec0::1", "feff::1", "3fff::1", "5f00::1", "64:ff9b:1::1", "100::1", "2001:20::1",
    "::169.254.169.254", "::ffff:0:169.254.169.254", "192.88.99.1", "192.0.0.9", "192.0.0.170",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_nothing_is_sent_into_networks_that_are_not_public(address: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        check_address(address, scheme="https", loopback_allowed=False)
    assert refused.value.field == "url"


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_may_be_sent_to(address: str) -> None:
    check_address(address, scheme="https", loopback_allowed=False)


def test_the_laptop_cloud_may_send_to_its_machine_and_nowhere_else_without_tls() -> None:
    check_address("127.0.0.1", scheme="http", loopback_allowed=True)
    check_address("::1", scheme="http", loopback_allowed=True)
    for address in ("8.8.8.8", "169.254.169.254", "192.168.1.1"):
        with pytest.raises(AddressRefusedError):
            check_address(address, scheme="http", loopback_allowed=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://school.example/", "ftp://school.example/", "//school.example", "school.example",
        "https://", "https:///path", "https://user@school.example/", "https://u:p@school.example/",
        "https://school.example/#part", "https://school.example:0/", "https://school.example:99999/",
        "https://school.example:x/", "https://[::1/", "https://sch ool.example/",
        "https://school.example\\@10.0.0.1/", "https://skóla.example/", "https://a.example/\n",
        "https://a.example/" + "x" * 2000, "",
    ],
)  # fmt: skip
def test_what_is_no_https_url_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        read_url(url, loopback_allowed=False)


def test_attempts_follow_the_scheme_and_end_with_the_last() -> None:
    # Standard Webhooks 1.0.0, "Deliverability and reliability": at once, 5 s, 5 min, 30 min, 2 h,
    # 5 h, 10 h; a tenth is spread.
    wanted = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 36_000]
    delays = [
        choose_delay(receives=n, retry_after=None, spread_by="x") for n in range(1, MOST_ATTEMPTS)
    ]
    assert all(base <= delay <= 1.1 * base + 1 for base, delay in zip(wanted, delays, strict=True))
    assert choose_delay(receives=MOST_ATTEMPTS, retry_after=900, spread_by="x") == 1


def test_a_receiver_that_asks_for_time_gets_it_as_far_as_a_queue_can_wait() -> None:
    assert choose_delay(receives=1, retry_after=900, spread_by="x") == 900
    assert choose_delay(receives=1, retry_after=1, spread_by="x") >= 5
    longest = choose_delay(receives=1, retry_after=1e9, spread_by="x")
    assert longest == LONGEST_INVISIBILITY_SECONDS


def test_a_message_has_one_id_at_each_webhook() -> None:
    one = derive_message_id("a" * 16, "event-1")
    assert one == derive_message_id("a" * 16, "event-1")
    assert len({one, derive_message_id("b" * 16, "event-1"), derive_message_id("a" * 16, "2")}) == 3
