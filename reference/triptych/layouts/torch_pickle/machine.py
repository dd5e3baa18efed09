"""Interprets the opcodes of a pickle as data: a stack, a memo, and calls of nothing but constructors of our own.

Python's ``pickle`` has no part in it. A name in a module becomes a `Global`, which is text; calling one looks its text up in a table of
constructors and refuses what is not there; making an object of a class yields a `Record`, which holds the class's name and the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import bounds, refusals
from triptych.layouts.torch_pickle.operands import Operands
from triptych.layouts.torch_pickle.values import Global, Ordered, Record

Constructor = Callable[[tuple[Any, ...], str], Any]
"""Called with the arguments of the call and its place."""
Persistent = Callable[[Any, str], Any]
"""Called with a persistent identifier and its place: what the file keeps outside the pickle."""

_DOUBLE = Struct(">d")
_PLAIN_KEYS = (str, int, float, bytes, bool, type(None), Global, Record)


class _Mark:
    """Stands on the stack where a collection begins."""


_MARK = _Mark()


class Machine:
    """Reads one pickle."""

    def __init__(
        self,
        data: memoryview,
        member: str,
        constructors: Mapping[tuple[str, str], Constructor],
        persistent: Persistent,
        build: Callable[[Any, Any, str], Any],
    ) -> None:
        self._read = Operands(data, member)
        self._member = member
        self._constructors = constructors
        self._persistent = persistent
        self._build = build
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._most_memo = min(max(bounds.MEMO, len(data) // bounds.MEMO_BYTES), bounds.MEMO_MOST)
        self._at = 0

    @property
    def _place(self) -> str:
        return f"{self._member}@{self._at}"

    def load(self, start: int = 0) -> tuple[Any, int]:
        """The value of the pickle that begins at `start`, and where it ends.

        Raises:
            InvalidModelError: The bytes are no pickle, or end early.
            UnsupportedError: It asks for more than data, or exceeds a limit.
        """
        read = self._read
        read.at = start
        steps = 0
        while True:
            self._at = read.at
            code = read.take(1)[0]
            steps += 1
            if steps > bounds.OPCODES or read.at - start > bounds.PICKLE_BYTES:
                raise unsupported(self._place, f"expected a pickle of at most {bounds.OPCODES:,} opcodes and {bounds.PICKLE_BYTES:,} bytes, got more")
            if code == 0x2E:
                value = self._pop()
                if self._stack:
                    raise invalid(self._place, f"expected a pickle of one value, got {len(self._stack) + 1}")
                return value, read.at
            step = _STEPS.get(code)
            if step is None:
                raise self._unknown(code)
            step(self)
            if len(self._stack) > bounds.STACK:
                raise unsupported(self._place, f"expected at most {bounds.STACK:,} values waiting, got more")

    def _unknown(self, code: int) -> Exception:
        if code in _REFUSED:
            return unsupported(self._place, f"expected data, got the opcode {_REFUSED[code]}")
        return invalid(self._place, f"expected an opcode of pickle protocols 0 to 5, got the byte {code:#04x}")

    # --- the stack

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise invalid(self._place, "expected a value to take, none is there")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise invalid(self._place, "expected a value to add to, none is there")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[Any]:
        stack = self._stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is _MARK:
                items = stack[index + 1 :]
                del stack[index:]
                return items
        raise invalid(self._place, "expected a mark, none is there")

    def _pop_text(self) -> str:
        value = self._pop()
        if not isinstance(value, str):
            raise invalid(self._place, f"expected a name, got {refusals.brief(value)}")
        return value

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    # --- the memo

    def _put(self, index: int) -> None:
        if not 0 <= index < self._most_memo:
            raise unsupported(self._place, f"expected at most {self._most_memo:,} values to remember, got number {index:,}")
        self._memo[index] = self._top()

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise invalid(self._place, f"expected a value remembered as {index}, there is none")
        self._push(self._memo[index])

    # --- collections

    def _pop_mark(self) -> None:
        self._pop_to_mark()

    def _discard(self) -> None:
        if not self._stack:
            raise invalid(self._place, "expected a value to drop, none is there")
        self._stack.pop()

    def _tuple(self, size: int) -> None:
        items = [self._pop() for _ in range(size)]
        self._push(tuple(reversed(items)))

    def _append(self, items: list[Any]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, Record):
            target.items += items
        else:
            raise invalid(self._place, f"expected a list to append to, got {refusals.brief(target)}")

    def _set_items(self, items: list[Any]) -> None:
        target = self._top()
        if len(items) % 2:
            raise invalid(self._place, "expected pairs of key and value, got an odd number of values")
        if isinstance(target, Record):
            target.items += [self._key(one) if index % 2 == 0 else one for index, one in enumerate(items)]
            return
        if not isinstance(target, dict):
            raise invalid(self._place, f"expected a dictionary to fill, got {refusals.brief(target)}")
        for index in range(0, len(items), 2):
            target[self._key(items[index])] = items[index + 1]

    def _key(self, key: Any) -> Any:
        # A tuple's hash visits all it holds: nested and shared, that never ends.
        if isinstance(key, _PLAIN_KEYS) or (isinstance(key, tuple) and len(key) <= 64 and all(isinstance(item, _PLAIN_KEYS) for item in key)):
            return key
        raise unsupported(self._place, f"expected keys that are text or numbers, got {refusals.brief(key)}")

    def _dict(self, items: list[Any]) -> None:
        self._push({})
        self._set_items(items)

    def _set(self, items: list[Any]) -> set[Any]:
        return {self._key(item) for item in items}

    def _add_items(self, items: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, set):
            raise invalid(self._place, f"expected a set to add to, got {refusals.brief(target)}")
        target.update(self._set(items))

    # --- names, calls, objects

    def _global(self, module: str, name: str) -> None:
        self._push(Global(module, name, self._place))

    def _stack_global(self) -> None:
        name = self._pop_text()
        self._global(self._pop_text(), name)

    def _call(self, called: Any, arguments: Any) -> None:
        if not isinstance(called, Global):
            raise unsupported(self._place, f"expected a call of something named, got a call of {refusals.brief(called)}")
        make = self._constructors.get((called.module, called.name))
        if make is None:
            raise unsupported(self._place, f"expected data, got a call at byte {self._at}: {refusals.call(called, arguments)}")
        if not isinstance(arguments, tuple):
            raise invalid(self._place, f"expected arguments in a tuple, got {refusals.brief(arguments)}")
        self._push(make(arguments, self._place))

    def _reduce(self) -> None:
        arguments = self._pop()
        self._call(self._pop(), arguments)

    def _inst(self) -> None:
        module, name = self._read.line(), self._read.line()
        arguments = tuple(self._pop_to_mark())
        self._call(Global(module, name, self._place), arguments)

    def _obj(self) -> None:
        items = self._pop_to_mark()
        if not items:
            raise invalid(self._place, "expected a class to make an object of, none is there")
        self._call(items[0], tuple(items[1:]))

    def _new(self, *, named: bool) -> None:
        keywords = self._pop() if named else {}
        arguments = self._pop()
        kind = self._pop()
        if not isinstance(kind, Global):
            raise unsupported(self._place, f"expected a class by its name, got {refusals.brief(kind)}")
        if (kind.module, kind.name) in self._constructors and not keywords and isinstance(arguments, tuple):
            self._call(kind, arguments)
            return
        if arguments != () or keywords:
            raise unsupported(self._place, f"expected an object made of its state, got one at byte {self._at} of {refusals.call(kind, arguments)}")
        self._push(Record(Global(kind.module, kind.name, self._place)))

    def _build_state(self) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Record):
            target.state = state
        elif isinstance(target, Ordered) and (state is None or isinstance(state, dict)):
            target.attributes = state or None
        elif isinstance(target, Global):
            raise unsupported(self._place, f"expected data, got a change of {target} at byte {self._at}, which would reprogram it")
        else:
            self._stack[-1] = self._build(target, state, self._place)

    def _persistent_text(self) -> None:
        self._push(self._persistent(self._read.line(), self._place))

    def _persistent_value(self) -> None:
        self._push(self._persistent(self._pop(), self._place))

    # --- text of protocol 0

    def _int_line(self) -> None:
        text = self._read.line()
        self._push({"00": False, "01": True}[text] if text in ("00", "01") else self._read.integer(text))

    def _float_line(self) -> None:
        text = self._read.line()
        try:
            self._push(float(text))
        except ValueError:
            raise invalid(self._place, f"expected a number, got {shorten(text)}") from None

    def _protocol(self) -> None:
        version = self._read.take(1)[0]
        if version > 5:
            raise unsupported(self._place, f"expected a pickle of protocol 0 to 5, got {version}")

    def _float(self) -> None:
        self._push(_DOUBLE.unpack(self._read.take(8))[0])


def _number(size: int, *, signed: bool = False) -> Callable[[Machine], int]:
    return lambda machine: int.from_bytes(machine._read.take(size), "little", signed=signed)


def _pushing(make: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    return lambda machine: machine._push(make(machine))


def _steps() -> dict[int, Callable[[Machine], None]]:
    """Opcode -> what it does; each letter or byte is the one of Python's ``pickletools``."""
    # ruff: noqa: SLF001
    m = Machine
    size1, size2, size4, size8 = _number(1), _number(2), _number(4), _number(8)
    text: dict[str, Callable[[Machine], None]] = {
        "(": lambda x: x._push(_MARK), "0": m._discard, "1": m._pop_mark, "2": lambda x: x._push(x._top()),
        "F": m._float_line, "I": m._int_line, "J": _pushing(_number(4, signed=True)), "K": _pushing(size1), "M": _pushing(size2),
        "L": _pushing(lambda x: x._read.integer(x._read.line().removesuffix("L"))), "N": _pushing(lambda _: None),
        "P": m._persistent_text, "Q": m._persistent_value, "R": m._reduce, "b": m._build_state, "i": m._inst, "o": m._obj,
        "S": _pushing(lambda x: x._read.quoted()), "T": _pushing(lambda x: x._read.old_text(size4(x))),
        "U": _pushing(lambda x: x._read.old_text(size1(x))), "V": _pushing(lambda x: x._read.escaped()),
        "X": _pushing(lambda x: x._read.text(size4(x))), "B": _pushing(lambda x: bytes(x._read.long(size4(x)))),
        "C": _pushing(lambda x: bytes(x._read.long(size1(x)))), "G": m._float,
        "a": lambda x: x._append([x._pop()]), "e": lambda x: x._append(x._pop_to_mark()), "c": lambda x: x._global(x._read.line(), x._read.line()),
        "d": lambda x: x._dict(x._pop_to_mark()), "}": _pushing(lambda _: {}), "l": _pushing(lambda x: x._pop_to_mark()), "]": _pushing(lambda _: []),
        "t": _pushing(lambda x: tuple(x._pop_to_mark())), ")": _pushing(lambda _: ()),
        "s": lambda x: x._set_items([x._pop(), x._pop()][::-1]), "u": lambda x: x._set_items(x._pop_to_mark()),
        "p": lambda x: x._put(x._read.integer(x._read.line())), "q": lambda x: x._put(size1(x)), "r": lambda x: x._put(size4(x)),
        "g": lambda x: x._get(x._read.integer(x._read.line())), "h": lambda x: x._get(size1(x)), "j": lambda x: x._get(size4(x)),
    }  # fmt: skip
    later: dict[int, Callable[[Machine], None]] = {
        0x80: m._protocol, 0x81: lambda x: x._new(named=False), 0x85: lambda x: x._tuple(1), 0x86: lambda x: x._tuple(2),
        0x87: lambda x: x._tuple(3), 0x88: _pushing(lambda _: True), 0x89: _pushing(lambda _: False),
        0x8A: _pushing(lambda x: x._read.long_integer(size1(x))), 0x8B: _pushing(lambda x: x._read.long_integer(size4(x))),
        0x8C: _pushing(lambda x: x._read.text(size1(x))), 0x8D: _pushing(lambda x: x._read.text(size8(x))),
        0x8E: _pushing(lambda x: bytes(x._read.long(size8(x)))), 0x8F: _pushing(lambda _: set()), 0x90: lambda x: x._add_items(x._pop_to_mark()),
        0x91: _pushing(lambda x: frozenset(x._set(x._pop_to_mark()))), 0x92: lambda x: x._new(named=True), 0x93: m._stack_global,
        0x94: lambda x: x._put(len(x._memo)), 0x95: lambda x: x._read.frame(size8(x)), 0x96: _pushing(lambda x: bytes(x._read.long(size8(x)))),
        0x98: lambda _: None,
    }  # fmt: skip
    return {ord(letter): step for letter, step in text.items()} | later


_STEPS = _steps()
_REFUSED = {
    0x82: "EXT1, which looks up a class that this process may have registered",
    0x83: "EXT2, which looks up a class that this process may have registered",
    0x84: "EXT4, which looks up a class that this process may have registered",
    0x97: "NEXT_BUFFER, which takes bytes from outside the file",
}

