"""Functions on files and paths: file, fileexists, fileset, filesha256, abspath, basename, dirname, pathexpand.

Files are read only through the scope's `Files`, which refuses what lies outside the repository: the result is then
unknown and says so. What a file holds never stands in a message.
"""

from __future__ import annotations

import base64
import posixpath
from pathlib import Path

from lint.terraform.files import FileRefused, Files
from lint.terraform.functions.globs import glob_matcher
from lint.terraform.functions.hash import digest
from lint.terraform.functions.registry import Caller, FunctionError, Parameter, function
from lint.terraform.types import BOOL, STRING, Type, set_of
from lint.terraform.values import Unknown, Value, boolean, set_value, string

_PATH = Parameter("path", STRING)


def _files(call: Caller) -> Files:
    if call.scope.files is None:
        raise FunctionError("files can't be read here")
    return call.scope.files


def _located(call: Caller, path: str) -> Path:
    if "\0" in path:
        raise FunctionError("the path holds a character that paths can't hold")
    if path == "~" or path.startswith("~/"):
        path = _expanded(path)
    return call.scope.directory / path


def _refused(call: Caller, refusal: FileRefused, kind: Type) -> Value:
    return Value(kind, Unknown((call.reason(refusal.text, "tf.file"),)))


def _read(call: Caller, path: str) -> bytes | Value:
    """The bytes of a file; an unknown where it may not be read. Raises FunctionError where there is none."""
    files = _files(call)
    located = _located(call, path)
    try:
        if not files.exists(located, path):
            raise FunctionError(f'no file exists at "{path}"')
        return files.read(located, path)
    except FileRefused as refusal:
        return _refused(call, refusal, STRING)


def read_text(call: Caller, path: str) -> str | Value:
    """The text of a file; an unknown where it may not be read. Raises FunctionError where there is none."""
    data = _read(call, path)
    if isinstance(data, Value):
        return data
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FunctionError(f'contents of "{path}" are not valid UTF-8') from None
    call.budget.text(len(text))
    return text


@function("file", _PATH, returns=STRING)
def _file(call: Caller, path: Value) -> Value:
    text = read_text(call, path.data)
    return text if isinstance(text, Value) else string(text)


@function("filebase64", _PATH, returns=STRING)
def _filebase64(call: Caller, path: Value) -> Value:
    data = _read(call, path.data)
    if isinstance(data, Value):
        return data
    call.budget.text(len(data) * 4 // 3)
    return string(base64.b64encode(data).decode())


def _register(name: str, algorithm: str, *, encoded: bool) -> None:
    @function(name, _PATH, returns=STRING)
    def _digest(call: Caller, path: Value) -> Value:
        data = _read(call, path.data)
        if isinstance(data, Value):
            return data
        found = digest(algorithm, data)
        return string(base64.b64encode(found).decode() if encoded else found.hex())


for _name, _algorithm, _encoded in (
    ("filemd5", "md5", False),
    ("filesha1", "sha1", False),
    ("filesha256", "sha256", False),
    ("filesha512", "sha512", False),
    ("filebase64sha256", "sha256", True),
    ("filebase64sha512", "sha512", True),
):
    _register(_name, _algorithm, encoded=_encoded)


@function("fileexists", _PATH, returns=BOOL)
def _fileexists(call: Caller, path: Value) -> Value:
    files = _files(call)
    located = _located(call, path.data)
    try:
        if files.exists(located, path.data):
            return boolean(True)
        if files.directory(located, path.data):
            raise FunctionError(f'"{path.data}" is a directory, not a file')
    except FileRefused as refusal:
        return _refused(call, refusal, BOOL)
    return boolean(False)


@function("fileset", _PATH, Parameter("pattern", STRING), returns=set_of(STRING))
def _fileset(call: Caller, path: Value, pattern: Value) -> Value:
    files = _files(call)
    # The pattern is joined to the path before it is matched, so that ".." in it may leave the directory.
    whole = posixpath.normpath(posixpath.join(path.data or ".", pattern.data)) if pattern.data else path.data
    prefix = _fixed_part(whole)
    located = _located(call, prefix)
    known = files.matched.get((str(located), whole, path.data))
    if known is None:
        matches = glob_matcher(whole)
        known = ()
        try:
            if files.directory(located, prefix):
                names = [posixpath.normpath(posixpath.join(prefix, str(each))) for each in files.walk(located, prefix)]
                call.budget.spend(len(names))
                start = posixpath.join("/x", path.data or ".")
                known = tuple(posixpath.relpath(posixpath.join("/x", name), start) for name in names if matches(name))
        except FileRefused as refusal:
            return _refused(call, refusal, set_of(STRING))
        files.matched[str(located), whole, path.data] = known
    call.budget.elements(len(known))
    return set_value(STRING, [string(name) for name in known])


def _fixed_part(pattern: str) -> str:
    """The directories of a pattern in front of the first one that holds a wildcard."""
    parts = pattern.split("/")
    fixed: list[str] = []
    for part in parts[:-1]:
        if any(c in part for c in "*?[{\\"):
            break
        fixed.append(part)
    return "/".join(fixed) or ("/" if pattern.startswith("/") else ".")


def _expanded(path: str) -> str:
    return Path("~").expanduser().as_posix() + path[1:]


@function("abspath", _PATH, returns=STRING)
def _abspath(call: Caller, path: Value) -> Value:
    if path.data.startswith("/"):
        return string(_clean(path.data))
    return string(_clean(f"{Path.cwd().joinpath(call.scope.directory).as_posix()}/{path.data}"))


def _clean(path: str) -> str:
    """The path without `.`, `..` and doubled slashes, as Go's path.Clean."""
    if not path:
        return "."
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


@function("basename", _PATH, returns=STRING)
def _basename(call: Caller, path: Value) -> Value:
    if not path.data:
        return string(".")
    return string(path.data.rstrip("/").rpartition("/")[2] or "/")


@function("dirname", _PATH, returns=STRING)
def _dirname(call: Caller, path: Value) -> Value:
    return string(_clean(path.data[: path.data.rfind("/") + 1]))


@function("pathexpand", _PATH, returns=STRING)
def _pathexpand(call: Caller, path: Value) -> Value:
    text: str = path.data
    if not text.startswith("~"):
        return string(text)
    if len(text) > 1 and text[1] != "/":
        raise FunctionError("cannot expand user-specific home dir")
    reason = call.reason("pathexpand() depends on who runs Terraform", "tf.function:pathexpand")
    return Value(STRING, Unknown((reason,), not_null=True))
