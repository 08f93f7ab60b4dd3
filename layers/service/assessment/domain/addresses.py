"""Which network an address is of: rules for addresses that callers name.

IANA's registries of special-purpose addresses (RFC 6890), read by `ipaddress`, and what that leaves
open.
"""

from __future__ import annotations

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GIVEN_OUT = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("2000::/3"))
"""The second is all of IPv6 that is given out (RFC 4291): no translated, local or reserved
address is in it."""

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "2001:20::/28",  # hashes that name a host, not a place in a network (RFC 7343)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = ipaddress.ip_network("fd00:ec2::/32")
"""Services of AWS on the machine itself, over IPv6: metadata, time, names."""


def is_public(address: Address) -> bool:
    """Whether the address is of the public internet, and carries no other address in it."""
    if find_carried(address) or not any(address in network for network in _GIVEN_OUT):
        return False
    is_excluded = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not any((is_excluded, address.is_multicast, address.is_reserved))


def is_of_machine(address: Address) -> bool:
    """Whether it leads to the machine itself, or to a service of the cloud that answers on it."""
    reached = find_carried(address) or address
    return any(
        (
            reached.is_link_local,
            reached.is_loopback,
            reached.is_unspecified,
            reached in _METADATA,
        )
    )


def find_carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address to which a translator or a tunnel would take what is sent to this one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    carried = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())[1:])
    return next(filter(None, carried), None)
