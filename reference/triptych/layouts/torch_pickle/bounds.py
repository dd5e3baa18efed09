"""What the reader is willing to spend on a pickle (specification chapter 80 has the reasons; these are the numbers)."""

from __future__ import annotations

PICKLE_BYTES = 256 << 20
"""One pickle; those of genuine files are some 200 bytes for each tensor."""
OPCODES = 20_000_000
MEMO = 1_000_000
"""Remembered values, and the largest index under which one may be remembered; in long pickles one for each …"""
MEMO_BYTES = 6
"""… bytes, a little more than the ten or so of genuine ones …"""
MEMO_MOST = 16_000_000
"""… but never more than these."""
STACK = 1_000_000
STRING_BYTES = 16 << 20
"""One text or byte string; the legacy form carries the source text of classes."""
INTEGER_BITS = 1024
DEPTH = 128
"""Nesting of values; files of today's PyTorch stay below 10."""
VALUES = 1_000_000
"""Values met when data that may share parts is unfolded."""
AMPLIFICATION = 8
"""Bytes that the tensors of a file may have in all, as a multiple of what it stores …"""
AMPLIFICATION_FLOOR = 16 << 20
"""… or this many, so that small expanded tensors pass."""
