"""Rows of a table on their way to the cache before a kernel needs them.

Rows that lie anywhere in a large table are not foreseen by a processor: AdamW of 5,000 rows of 40,000 took
twice as long without.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

AHEAD = 8
"""Rows between the one that is asked for and the one at work."""
LINE = 16
"""float32 numbers in a cache line of 64 bytes"""


def _prefetch(context: Any, array: Any, i: Any, j: Any) -> Any:
    """Ask for the cache line of `array[i, j]`; within kernels alone. It changes no result."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, values = (
            signature.args[0],
            arrayobj.make_array(signature.args[0])(context, builder, arguments[0]),
        )
        at = cgutils.get_item_pointer(context, builder, kind, values, list(arguments[1:]))
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], shape)
        # To read, to all caches, data: https://llvm.org/docs/LangRef.html#llvm-prefetch-intrinsic
        builder.call(ask, [builder.bitcast(at, byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


prefetch: Any = intrinsic(_prefetch)
