"""AWS's spellings of protocols, ports and ICMP types, as sets of services.

Sources: EC2 API reference "IpPermission", "NetworkAclEntry", "IcmpTypeCode"; the AWS provider's tables of protocol
names.
"""

from __future__ import annotations

from lint.aws.model.groups import Services
from lint.origin import Origin, Reason
from lint.space.intervals import EMPTY, IntervalSet
from lint.space.services import ALL_SERVICES, ICMP, ICMPV6, TCP, UDP, icmp, ports, protocol

EVERY = -1

# IANA "Assigned Internet Protocol Numbers", the keywords that the AWS provider takes for network ACLs.
NUMBERS = {
    "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipv4": 4, "ipencap": 4, "st": 5, "tcp": 6, "cbt": 7, "egp": 8,
    "igp": 9, "bbn-rcc-mon": 10, "nvp-ii": 11, "pup": 12, "argus": 13, "emcon": 14, "xnet": 15, "chaos": 16, "udp":
    17, "mux": 18, "dcn-meas": 19, "hmp": 20, "prm": 21, "xns-idp": 22, "trunk-1": 23, "trunk-2": 24, "leaf-1": 25,
    "leaf-2": 26, "rdp": 27, "irtp": 28, "iso-tp4": 29, "netblt": 30, "mfe-nsp": 31, "merit-inp": 32, "dccp": 33,
    "3pc": 34, "idpr": 35, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "tp++": 39, "il": 40, "ipv6": 41, "sdrp": 42,
    "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "dsr": 48, "bna": 49, "esp": 50, "ah": 51,
    "i-nlsp": 52, "swipe": 53, "narp": 54, "mobile": 55, "tlsp": 56, "skip": 57, "ipv6-icmp": 58, "icmpv6": 58,
    "ipv6-nonxt": 59, "ipv6-opts": 60, "cftp": 62, "sat-expak": 64, "kryptolan": 65, "rvd": 66, "ippc": 67, "sat-mon":
    69, "visa": 70, "ipcv": 71, "cpnx": 72, "cphb": 73, "wsn": 74, "pvp": 75, "br-sat-mon": 76, "sun-nd": 77,
    "wb-mon": 78, "wb-expak": 79, "iso-ip": 80, "vmtp": 81, "secure-vmtp": 82, "vines": 83, "ttp": 84, "nsfnet-igp":
    85, "dgp": 86, "tcf": 87, "eigrp": 88, "ospf": 89, "ospfigp": 89, "sprite-rpc": 90, "larp": 91, "mtp": 92,
    "ax.25": 93, "ipip": 94, "micp": 95, "scc-sp": 96, "etherip": 97, "encap": 98, "gmtp": 100, "ifmp": 101, "pnni":
    102, "pim": 103, "aris": 104, "scps": 105, "qnx": 106, "a/n": 107, "ipcomp": 108, "snp": 109, "compaq-peer": 110,
    "ipx-in-ip": 111, "vrrp": 112, "pgm": 113, "l2tp": 115, "ddx": 116, "iatp": 117, "stp": 118, "srp": 119, "uti":
    120, "smp": 121, "sm": 122, "ptp": 123, "isis-over-ipv4": 124, "fire": 125, "crtp": 126, "crudp": 127, "sscopmce":
    128, "iplt": 129, "sps": 130, "pipe": 131, "sctp": 132, "fc": 133, "rsvp-e2e-ignore": 134, "mobility-header": 135,
    "udplite": 136, "mpls-in-ip": 137, "manet": 138, "shim6": 139, "wesp": 140, "rohc": 141,
}  # fmt: skip
# The only names that security groups take (AWS provider, vpc_security_group.go).
GROUP_NAMES = frozenset({"tcp", "udp", "icmp", "icmpv6"})


class BadProtocol(ValueError):
    """A protocol, port or ICMP type that AWS refuses; the message is a sentence."""


def number_of(text: str, *, names: frozenset[str] | None = None) -> int:
    """The protocol number of `tcp`, `6`, `-1`, `all` …; EVERY for all. Raises BadProtocol.

    `names`: the names that are accepted here (None: every IANA keyword).
    """
    word = text.strip().lower()
    if word in ("-1", "all"):
        return EVERY
    number = NUMBERS.get(word)
    if number is not None and (names is None or word in names):
        return number
    if word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 255:
        return int(word)
    raise BadProtocol(f'"{text}" is not a protocol that AWS knows here (tcp, udp, icmp, icmpv6, -1 or 0 to 255)')


def services_of(number: int, low: int | None, high: int | None, *, ports_required: bool) -> IntervalSet:
    """The services of one permission. Raises BadProtocol.

    `low`, `high`: ports for TCP and UDP, type and code for ICMP, otherwise ignored. `ports_required`: TCP and UDP
    without ports are an error (Terraform), else they mean every port (dumps).
    """
    if number == EVERY:
        return ALL_SERVICES
    if number in (TCP, UDP):
        if low in (None, -1) and high in (None, -1):
            if ports_required:
                raise BadProtocol(f"{'tcp' if number == TCP else 'udp'} needs from_port and to_port")
            return protocol(number)
        if low is None or high is None:
            raise BadProtocol("a port range needs both of its ends")
        if not (0 <= low <= 65535 and 0 <= high <= 65535):
            raise BadProtocol(f"{low}-{high} is not a range of ports from 0 to 65535")
        if low > high:
            raise BadProtocol(f"the port range {low}-{high} is upside down")
        return ports(number, low, high)
    if number in (ICMP, ICMPV6):
        kind = None if low in (None, -1) else low
        code = None if high in (None, -1) else high
        if kind is None:
            return protocol(number)
        if not 0 <= kind <= 255 or not (code is None or 0 <= code <= 255):
            raise BadProtocol(f"{low}/{high} is not an ICMP type and code")
        return icmp(number, kind, code)
    return protocol(number)


def exactly(services: IntervalSet) -> Services:
    """Services that are known."""
    return Services(services, services)


def undetermined(text: str, may: IntervalSet = ALL_SERVICES, origin: Origin | None = None) -> Services:
    """Services of which only a bound is known, and why."""
    return Services(EMPTY, may, (Reason(text, origin=origin),))
