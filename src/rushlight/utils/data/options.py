"""The options of a DataLoader that exclude each other, or have wrong values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight.base.errors import ArgTypeError, ArgValueError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext


def check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    """What there is to say of workers goes together, or ValueError is raised."""
    if num_workers < 0:
        raise ArgValueError(
            "DataLoader",
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing.",
        )
    if timeout < 0:
        raise ArgValueError("DataLoader", "timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ArgValueError(
            "DataLoader",
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.",
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ArgValueError("DataLoader", "prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ArgValueError("DataLoader", "persistent_workers option needs num_workers > 0")


def check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    """Refuses what would order a stream, which orders itself."""
    given = None
    if shuffle not in {False, None}:
        given = "shuffle", shuffle
    elif sampler is not None:
        given = "sampler", sampler
    elif batch_sampler is not None:
        given = "batch_sampler", batch_sampler
    if given:
        name, value = given
        raise ArgValueError(
            "DataLoader",
            f"DataLoader with IterableDataset: expected unspecified {name} option, "
            f"but got {name}={value}",
            rule="A stream gives its samples in its own order.",
        )


def check_batches(
    batch_size: int | None, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """Refuses two ways at once to say what a batch is."""
    if sampler is not None and shuffle:
        raise ArgValueError("DataLoader", "sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ArgValueError(
                "DataLoader",
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                "and drop_last",
            )
    elif batch_size is None and drop_last:
        raise ArgValueError(
            "DataLoader",
            "batch_size=None option disables auto-batching and is mutually exclusive with "
            "drop_last",
        )


def checked_context(context: str | BaseContext, num_workers: int) -> BaseContext:
    """The context of ``multiprocessing`` that a user gave, or gave the name of."""
    import multiprocessing
    from multiprocessing.context import BaseContext

    if num_workers == 0:
        raise ArgValueError(
            "DataLoader",
            "multiprocessing_context can only be used with multi-process loading "
            f"(num_workers > 0), but got num_workers={num_workers}",
        )
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ArgValueError(
                "DataLoader",
                "multiprocessing_context option should specify a valid start method in "
                f"{valid!r}, but got multiprocessing_context={context!r}",
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise ArgTypeError(
            "DataLoader",
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}",
        )
    return context
