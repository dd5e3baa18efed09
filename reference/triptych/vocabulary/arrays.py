"""numpy under the name `np`, imported when it is first used: definitions hold formulas, and reading a file needs no formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]
else:
    Array = Any

    class _Numpy:
        """Hands out numpy's names."""

        def __getattr__(self, name: str) -> Any:
            import numpy  # noqa: ICN001 - np is what this makes

            return getattr(numpy, name)

    np = _Numpy()

__all__ = ["Array", "np"]
