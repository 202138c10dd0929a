"""Which addresses may be reached from here: our own table, because the usual ones have holes.

Python 3.11's ``is_global`` says yes to 64:ff9b::7f00:1, 2002:7f00:1:: and ::127.0.0.1, each of
which is loopback in other clothes, and no table knows that 168.63.129.16 is the machine room of one
large cloud. So IPv4 is everything but the ranges below, and IPv6 is nothing but 2000::/3, less the
ranges inside it that are not plain addresses of a host.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates),
IPv4 multicast (RFC 5771), the returned 6bone range (RFC 3701), 6to4 (RFC 3056, RFC 7526).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_REFUSED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; some clouds' metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # one cloud's own services, on a public-looking address
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnels (AMT)
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_HOSTS_IPV6 = IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks, AMT
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address inside it
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)


def find_refusal(address: str) -> str | None:
    """``None`` where ``address`` is a public host's, else a phrase that says why it is not.

    ``address`` is an IP address as a resolver gives it. Text that is no address, or carries a
    zone (``fe80::1%eth0``), is refused like any other that is not public.
    """
    try:
        known = ip_address(address)
    except ValueError:
        return f"{address} is not an address"
    if isinstance(known, IPv4Address):
        public = not any(known in network for network in _REFUSED_IPV4)
    else:
        public = _is_public_ipv6(known)
    return None if public else f"{address} is not a public address"


def _is_public_ipv6(known: IPv6Address) -> bool:
    return (
        known.scope_id is None
        and known in _HOSTS_IPV6
        and not any(known in network for network in _REFUSED_IPV6)
    )
