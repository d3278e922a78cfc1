"""Digests and identifiers: md5, sha1, sha256, sha512, base64sha256, uuidv5; what is random or secret stays unknown."""

from __future__ import annotations

import base64
import hashlib
import uuid

from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import NUMBER, STRING
from lint.terraform.values import Unknown, Value, string

_STR = Parameter("str", STRING)


def digest(algorithm: str, data: bytes) -> bytes:
    """The digest of some bytes; none of these is used to keep anything secret."""
    return hashlib.new(algorithm, data, usedforsecurity=False).digest()


@function("md5", _STR, returns=STRING)
def _md5(call: Caller, text: Value) -> Value:
    return string(digest("md5", text.data.encode()).hex())


@function("sha1", _STR, returns=STRING)
def _sha1(call: Caller, text: Value) -> Value:
    return string(digest("sha1", text.data.encode()).hex())


@function("sha256", _STR, returns=STRING)
def _sha256(call: Caller, text: Value) -> Value:
    return string(digest("sha256", text.data.encode()).hex())


@function("sha512", _STR, returns=STRING)
def _sha512(call: Caller, text: Value) -> Value:
    return string(digest("sha512", text.data.encode()).hex())


@function("base64sha256", _STR, returns=STRING)
def _base64sha256(call: Caller, text: Value) -> Value:
    return string(base64.b64encode(digest("sha256", text.data.encode())).decode())


@function("base64sha512", _STR, returns=STRING)
def _base64sha512(call: Caller, text: Value) -> Value:
    return string(base64.b64encode(digest("sha512", text.data.encode())).decode())


_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


@function("uuidv5", Parameter("namespace", STRING), Parameter("name", STRING), returns=STRING)
def _uuidv5(call: Caller, namespace: Value, name: Value) -> Value:
    space = _NAMESPACES.get(namespace.data)
    if space is None:
        try:
            space = uuid.UUID(namespace.data)
        except ValueError:
            raise FunctionError("uuidv5() doesn't support that namespace") from None
    return string(str(uuid.uuid5(space, name.data)))


def _not_determined(call: Caller, name: str, why: str) -> Value:
    reason = call.reason(f"{name}() gives {why}", f"tf.function:{name}")
    return Value(STRING, Unknown((reason,), not_null=True))


@function("uuid", returns=STRING)
def _uuid(call: Caller) -> Value:
    return _not_determined(call, "uuid", "a new random value each time")


@function("bcrypt", _STR, variadic=Parameter("cost", NUMBER), returns=STRING)
def _bcrypt(call: Caller, text: Value, *cost: Value) -> Value:
    if len(cost) > 1:
        raise FunctionError("bcrypt() takes no more than two arguments")
    return _not_determined(call, "bcrypt", "a hash with a random salt")


@function("rsadecrypt", Parameter("ciphertext", STRING), Parameter("privatekey", STRING), returns=STRING)
def _rsadecrypt(call: Caller, ciphertext: Value, key: Value) -> Value:
    return _not_determined(call, "rsadecrypt", "a secret, which isn't decrypted here")
