"""Where an administrator's endpoint may be: however an address is written, it is the same one."""

from __future__ import annotations

import pytest

from assessment.domain.endpoint import check_endpoint
from assessment.domain.field_problems import WrongFieldError

OF_THE_MACHINE = [
    "169.254.169.254", "169.254.170.2", "169.254.169.254.", "127.0.0.2", "0.0.0.0", "[::]",  # noqa: S104
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662", "[::ffff:169.254.169.254]",
    "[::ffff:7f00:2]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fe80::1]",
    "[fe80::1%25eth0]", "[fd00:ec2::254]", "[fd00:ec2::23]", "localhost:9001", "LOCALHOST.:9001",
    "127.0.0.1:9001", "[::1]:9001",
]  # fmt: skip


@pytest.mark.parametrize("host", OF_THE_MACHINE)
def test_no_endpoint_is_the_stacks_own_machine(host: str) -> None:
    with pytest.raises(WrongFieldError, match="the machine that the stack runs on"):
        check_endpoint(f"https://{host}/v1")


@pytest.mark.parametrize("host", ["①②⑦.⓪.⓪.①", "169。254。169。254", "lĺm.example"])
def test_a_host_is_in_ascii(host: str) -> None:
    with pytest.raises(WrongFieldError, match="give a URL"):
        check_endpoint(f"https://{host}/v1")


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.example.org/v1", "https://xn--lm-kka.example/v1", "https://8.8.8.8",
        "https://10.1.2.3:8443/v1", "https://[fd12::1]/v1", "http://localhost:11434/v1",
        "http://127.0.0.1:4000", "http://[::1]:4000",
    ],
)  # fmt: skip
def test_an_endpoint_may_be_of_the_internet_or_of_ones_own_network(url: str) -> None:
    check_endpoint(url)
