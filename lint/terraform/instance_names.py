"""Resources and module calls as expressions ask for them: one attribute, one instance or one output at a time.

Only what is asked for is evaluated. Knows no expressions and no files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lint.origin import Reason
from lint.terraform.addresses import module_address
from lint.terraform.expressions.traversal import index
from lint.terraform.scope import EvaluationProblem, Namespace
from lint.terraform.syntax.tree import Span
from lint.terraform.types import DYNAMIC
from lint.terraform.values import Reference, Unknown, Value, as_text, object_value, string, tuple_value, unknown

if TYPE_CHECKING:
    from lint.terraform.instances import Called, ModuleInstance, ResourceKey


class ResourceNames:
    """One resource: its attributes, or all its instances."""

    def __init__(self, owner: ModuleInstance, key: ResourceKey) -> None:
        self._owner = owner
        self._key = key

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        return self._owner.attribute_of(self._key, name, span)

    def value(self, span: Span) -> Value:
        return self._owner.resource_value(self._key)


class CallNames:
    """One module call: outputs by name, or instances by key; only what is asked for is evaluated."""

    def __init__(self, owner: ModuleInstance, name: str, called: Called) -> None:
        self._owner = owner
        self._called = called
        self._address = module_address(owner.address, name)

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        called = self._called
        if called.missing:
            return self._missing((name,))
        if called.instances.how == "single" and called.modules:
            return InstanceNames(called.modules[0]).attribute(name, span)
        if called.instances.how == "for_each" and called.instances.known:
            return self.element(string(name), span)
        raise EvaluationProblem(f"{self._address} has several instances; name one of them by its key", span)

    def element(self, key: Value, span: Span) -> Value | Namespace:
        """The instance with that key, as `module.a["x"]` names it."""
        called = self._called
        if called.missing:
            return self._missing(())
        if not called.instances.known:
            return InstanceNames(called.modules[0])
        if not isinstance(key.data, Unknown):
            wanted = as_text(key)
            for module in called.modules:
                if module.instance is not None and str(module.instance.key) == wanted:
                    return InstanceNames(module)
        return index(self.value(span), key, span)

    def value(self, span: Span) -> Value:
        called = self._called
        if called.missing:
            return self._missing(())
        values = [object_value(module.outputs()) for module in called.modules]
        if called.instances.how == "single":
            return values[0]
        if not called.instances.known:
            return Value(DYNAMIC, Unknown(called.instances.reasons, not_null=True, element=values[0]))
        if called.instances.how == "count":
            return tuple_value(values)
        keys = [str(module.instance.key) for module in called.modules if module.instance is not None]
        return object_value(dict(zip(keys, values)))

    def _missing(self, path: tuple[str, ...]) -> Value:
        return unknown(DYNAMIC, self._called.missing, reference=Reference(self._address, path))


class InstanceNames:
    """One module instance: its outputs by name."""

    def __init__(self, module: ModuleInstance) -> None:
        self._module = module

    def attribute(self, name: str, span: Span) -> Value | Namespace:
        if name not in self._module.module.outputs:
            if self._module.module.unread:
                reason = Reason(f"{self._module.address} has files that could not be read", "tf.unread")
                return unknown(DYNAMIC, (reason,))
            raise EvaluationProblem(f'{self._module.address} has no output named "{name}"', span)
        return self._module.output(name)

    def value(self, span: Span) -> Value:
        return object_value(self._module.outputs())
