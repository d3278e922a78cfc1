"""Names as expressions ask for them, one attribute at a time. Knows neither files nor modules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from lint.terraform.scope import Namespace, UndeclaredName
from lint.terraform.syntax.tree import Span
from lint.terraform.values import Value


class Lookup:
    """`var`, `local`, `module`, `aws_instance`: names that are asked for one by one."""

    def __init__(self, root: str, find: Callable[[str, Span], Value | Namespace], names: Collection[str]) -> None:
        self._root = root
        self._find = find
        self._names = names

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        if name not in self._names:
            raise UndeclaredName(f"{self._root}.{name} is not declared", span)
        return self._find(name, span)

    def value(self, span: Span) -> Value:
        raise UndeclaredName(f'"{self._root}" must be followed by a name', span)


class Fixed:
    """Names with fixed meaning: `data`, `path`, `terraform`."""

    def __init__(self, root: str, names: Mapping[str, Value | Namespace]) -> None:
        self._root = root
        self._names = names

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        found = self._names.get(name)
        if found is None:
            raise UndeclaredName(f"{self._root}.{name} is not declared", span)
        return found

    def value(self, span: Span) -> Value:
        raise UndeclaredName(f'"{self._root}" must be followed by a name', span)


class LongForm:
    """`resource.aws_instance.a`, the long form of `aws_instance.a`."""

    def __init__(self, roots: Mapping[str, Value | Namespace]) -> None:
        self._roots = roots

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        found = self._roots.get(name)
        if not isinstance(found, Lookup):
            raise UndeclaredName(f"resource.{name} is not declared", span)
        return found

    def value(self, span: Span) -> Value:
        raise UndeclaredName('"resource" must be followed by a type and a name', span)
