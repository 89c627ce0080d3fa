"""What a pickle asks for, judged without carrying it out. No torch.

torch's restricted reader runs no code of the file's. But it makes byte arrays and tensors of any
length, and texts that double with every call, and it may look for ever for a tuple of tuples among
the keys of a dictionary; some hundred bytes are enough for each. So a pickle is gone through here
first.
"""

from __future__ import annotations

import pickletools
import re
from typing import IO

from resnet_viz.i18n import _

MAX_OPERATIONS = 2_000_000  # a tensor takes about 35
MAX_OBJECTS = 10_000_000  # in one; what is mentioned twice counts twice

# Of what torch's reader calls, what makes much out of little; weights are made by other functions.
_COSTLY = re.compile(
    r"(builtins|__builtin__) bytearray|_codecs encode"
    r"|torch(\.\w+)* \w*Tensor|torch\.storage \w+Storage"
)
_KEEPING = ("PUT", "BINPUT", "LONG_BINPUT")
_FETCHING = ("GET", "BINGET", "LONG_BINGET")

_Stack = list[int | None]  # how many objects each consists of; None is a mark


class PickleError(ValueError):
    """A pickle that is not to be opened; the message is the reason, without a stop."""


def check_pickle(file: IO[bytes]) -> None:
    """Refuse the pickle that begins here; leaves the file behind its end.

    Raises:
        PickleError: it is damaged, or would take more memory or time than its length lets one
            expect.
    """
    stack: _Stack = []
    memo: dict[object, int] = {}
    try:
        for number, (operation, argument, _at) in enumerate(pickletools.genops(file)):
            if number >= MAX_OPERATIONS:
                raise PickleError(_("its pickle takes too many operations"))
            if operation.name == "GLOBAL" and _COSTLY.fullmatch(str(argument)):
                text = _("its pickle calls {name}, which can fill the memory")
                raise PickleError(text.format(name=str(argument).replace(" ", ".")))
            _follow(operation, argument, stack, memo)
    except PickleError:
        raise
    except (ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        text = _("it is damaged, cut off, or not a file of weights ({error:.200})")
        raise PickleError(text.format(error=str(error))) from None


def _follow(
    operation: pickletools.OpcodeInfo, argument: object, stack: _Stack, memo: dict[object, int]
) -> None:
    """Do to the numbers of objects what the operation does to the objects."""
    if operation.name in _KEEPING:
        memo[argument] = _pop(stack)
        stack.append(memo[argument])
    elif operation.name in _FETCHING:
        stack.append(memo[argument])
    elif operation.name == "DUP":
        top = _pop(stack)
        stack += [top, top]
    else:
        size = 1 + sum(_take(stack, kind) for kind in reversed(operation.stack_before))
        if size > MAX_OBJECTS:
            raise PickleError(_("its pickle holds few objects so often that they are too many"))
        for kind in operation.stack_after:
            stack.append(None if kind is pickletools.markobject else size)


def _take(stack: _Stack, kind: pickletools.StackObject) -> int:
    """The objects in what an operation takes from the stack."""
    if kind is pickletools.markobject:
        return 0  # it went with the slice above it
    if kind is not pickletools.stackslice:
        return _pop(stack)
    size = 0
    while (top := stack.pop()) is not None:
        size += top
    return size


def _pop(stack: _Stack) -> int:
    top = stack.pop()
    if top is None:
        raise ValueError("a mark stands for an object")
    return top
