"""Functions on CIDR blocks: cidrhost, cidrnetmask, cidrsubnet, cidrsubnets.

Addresses are computed on plain integers. Where a number isn't known, the result still lies within the given block.
"""

from __future__ import annotations

from dataclasses import dataclass

from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function, whole
from lint.terraform.types import NUMBER, STRING, list_of
from lint.terraform.unknowns import lift
from lint.terraform.values import Unknown, Value, merge_reasons, string, unknown_reasons, within_of

_PREFIX = Parameter("prefix", STRING)


@dataclass(frozen=True, slots=True)
class Block:
    """A CIDR block: the network address as an integer, the length of its prefix, 32 or 128 bits in all."""

    address: int
    length: int
    bits: int

    @property
    def size(self) -> int:
        """How many addresses it has."""
        return 1 << (self.bits - self.length)

    @property
    def mapped(self) -> bool:
        """Whether it is IPv4 inside IPv6 (`::ffff:10.0.0.0/104`), which Go counts as IPv4 in some places."""
        return self.bits == 128 and self.address >> 32 == 0xFFFF

    def text(self) -> str:
        """As Terraform writes it."""
        if self.length < 0:
            return "<nil>"
        length = max(0, self.length - 96) if self.mapped else self.length
        return f"{address_text(self.address, self.bits)}/{length}"


def parse_block(text: str) -> Block:
    """The block of a CIDR text; octets may have leading zeros, and are decimal. Raises FunctionError."""
    head, slash, tail = text.partition("/")
    address = _parse_four(head)
    bits = 32
    if address is None:
        address = _parse_six(head)
        bits = 128
    if not slash or address is None or not (tail.isascii() and tail.isdigit()) or len(tail) > 7 or int(tail) > bits:
        raise FunctionError("invalid CIDR expression: invalid CIDR address")
    length = int(tail)
    mask = ((1 << length) - 1) << (bits - length)
    return Block(address & mask, length, bits)


def _parse_four(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    address = 0
    for part in parts:
        if not (part.isascii() and part.isdigit()) or len(part) > 7 or int(part) > 255:
            return None
        address = address << 8 | int(part)
    return address


def _parse_six(text: str) -> int | None:
    """An IPv6 address: eight groups, `::` once for groups of zeros, the last two groups perhaps as an IPv4 address."""
    if ":" not in text or "%" in text:
        return None
    halves = text.split("::")
    if len(halves) > 2:
        return None
    groups: list[list[int]] = []
    for i, half in enumerate(halves):
        found = _groups(half, i == len(halves) - 1) if half else []
        if found is None:
            return None
        groups.append(found)
    count = sum(map(len, groups))
    if len(halves) == 1:
        if count != 8:
            return None
        every = groups[0]
    else:
        if count >= 8:
            return None
        every = [*groups[0], *[0] * (8 - count), *groups[1]]
    address = 0
    for group in every:
        address = address << 16 | group
    return address


def _groups(text: str, last: bool) -> list[int] | None:
    found: list[int] = []
    parts = text.split(":")
    for i, part in enumerate(parts):
        if last and i == len(parts) - 1 and "." in part:
            four = _parse_four(part)
            if four is None:
                return None
            found.extend((four >> 16, four & 0xFFFF))
        elif part and len(part) <= 6 and all(c in "0123456789abcdefABCDEF" for c in part) and int(part, 16) <= 0xFFFF:
            found.append(int(part, 16))
        else:
            return None
    return found


def address_text(address: int, bits: int) -> str:
    """An address as text; IPv6 with its longest run of zero groups as `::`."""
    if bits == 32 or address >> 32 == 0xFFFF:
        return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
    groups = [address >> shift & 0xFFFF for shift in range(112, -16, -16)]
    best, length, i = -1, 1, 0
    while i < 8:
        run = i
        while run < 8 and not groups[run]:
            run += 1
        if run - i > length:
            best, length = i, run - i
        i = max(run, i + 1)
    if best < 0:
        return ":".join(f"{g:x}" for g in groups)
    return ":".join(f"{g:x}" for g in groups[:best]) + "::" + ":".join(f"{g:x}" for g in groups[best + length :])


def _with_number(block: Block, number: int, length: int) -> int:
    """The block's address with a number in the bits before `length`; a negative number is or-ed in as Go does it."""
    address = block.address
    if number and length >= 0:
        address = abs(address | number << (block.bits - length))
    if address >> block.bits or (number and length < 0):
        raise FunctionError("the number does not fit into the address")
    return address


def _whole_big(value: Value) -> int:
    data = value.data
    if not data.integral or data.exponent > 1024:
        raise FunctionError("value must be a whole number")
    return int(data)


def _host(block: Block, number: int) -> int:
    most = block.size - 1
    low = abs(number) & 0xFFFFFFFFFFFFFFFF
    checked = low - (1 << 64) if low >> 63 else low
    if number < 0:
        checked = -number - 1
        number = most - checked
    if checked > most:
        raise FunctionError(f"prefix of {block.length} does not accommodate a host numbered {number}")
    # The number of a host in a mapped block ends up in the top bits, as in Terraform.
    return _with_number(block, number, 32 if block.mapped else block.bits)


@function(
    "cidrhost", Parameter("prefix", STRING, unknown=True), Parameter("hostnum", NUMBER, unknown=True), returns=STRING
)
def _cidrhost(call: Caller, prefix: Value, number: Value) -> Value:
    if not (prefix.known and number.known):
        return _unknown_inside((prefix, number), lambda pair: _cidrhost(call, *pair))
    block = parse_block(prefix.data)
    return string(address_text(_host(block, _whole_big(number)), block.bits))


@function("cidrnetmask", _PREFIX, returns=STRING)
def _cidrnetmask(call: Caller, prefix: Value) -> Value:
    block = parse_block(prefix.data)
    if block.bits == 128 and not block.mapped:
        raise FunctionError("IPv6 addresses cannot have a netmask")
    return string(address_text(((1 << block.length) - 1) << (block.bits - block.length), block.bits))


@function(
    "cidrsubnet",
    Parameter("prefix", STRING, unknown=True),
    Parameter("newbits", NUMBER, unknown=True),
    Parameter("netnum", NUMBER, unknown=True),
    returns=STRING,
)
def _cidrsubnet(call: Caller, prefix: Value, newbits: Value, netnum: Value) -> Value:
    if not (prefix.known and newbits.known and netnum.known):
        return _unknown_inside((prefix, newbits, netnum), lambda each: _cidrsubnet(call, *each))
    added, number = whole(newbits), _whole_big(netnum)
    block = parse_block(prefix.data)
    length = block.length + added
    if length > block.bits:
        raise FunctionError(f"insufficient address space to extend prefix of {block.length} by {added}")
    most = (1 << added) - 1 if 0 <= added < 64 else (1 << 64) - 1
    if abs(number) & 0xFFFFFFFFFFFFFFFF > most:
        raise FunctionError(f"prefix extension of {added} does not accommodate a subnet numbered {number}")
    return string(Block(_with_number(block, number, length), length, block.bits).text())


@function("cidrsubnets", Parameter("prefix", STRING, unknown=True), variadic=Parameter("newbits", NUMBER, unknown=True))
def _cidrsubnets(call: Caller, prefix: Value, *newbits: Value) -> Value:
    kind = list_of(STRING)
    if not (prefix.known and all(n.known for n in newbits)):
        inside = _unknown_inside((prefix, *newbits), lambda each: _cidrsubnets(call, *each))
        if inside.type is STRING:
            # As many subnets as lengths are given, each inside the block.
            return Value(kind, tuple([inside] * len(newbits)))
        return inside
    block = parse_block(prefix.data)
    if not newbits:
        return Value(kind, ())
    if block.address == 0 or block.mapped:
        # Terraform looks for the first subnet behind the address in front of the block, and there is none.
        raise FunctionError("not enough remaining address space for a subnet")
    call.budget.elements(len(newbits))
    subnets: list[Value] = []
    at = block.address
    for each in newbits:
        added = whole(each)
        if not 1 <= added <= 32:
            raise FunctionError("must extend prefix by at least one bit, and by no more than 32")
        length = block.length + added
        if length > block.bits:
            raise FunctionError(f"would extend prefix to {length} bits, which is too long")
        step = 1 << (block.bits - length)
        at = (at + step - 1) & ~(step - 1)
        if at + step > block.address + block.size:
            raise FunctionError(f"not enough remaining address space for a subnet with a prefix of {length} bits")
        subnets.append(string(Block(at, length, block.bits).text()))
        at += step
    return Value(kind, tuple(subnets))


def _unknown_inside(arguments: tuple[Value, ...], compute: object) -> Value:
    """An address or subnet of a block, where the block or a number isn't known."""
    assert callable(compute)
    lifted = lift(arguments, lambda each: compute(tuple(each)), FunctionError, nulls=False)
    if lifted is not None:
        return lifted
    prefix = arguments[0]
    within = within_of(prefix)
    if not isinstance(prefix.data, Unknown):
        block = parse_block(prefix.data)
        within = None if block.mapped else block.text()
    for each in arguments[1:]:
        # A negative number takes bits away from the prefix, or counts from the end.
        if not isinstance(each.data, Unknown) and each.data.negative:
            within = None
    if len(arguments) == 3 and isinstance(arguments[1].data, Unknown):
        within = None
    reasons = merge_reasons(*[unknown_reasons(v) for v in arguments])
    return Value(STRING, Unknown(reasons, within=within, not_null=True))
