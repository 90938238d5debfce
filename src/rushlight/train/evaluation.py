"""Validation and test: the same loop under two names."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import rushlight as rl

from .hooks import ModuleMode, overridden
from .module import LightningModule

if TYPE_CHECKING:
    from .feed import Feed
    from .trainer import Trainer

Outputs = list[dict[str, Any]]


def evaluate(trainer: Trainer, feed: Feed, book: str, verbose: bool = True) -> Outputs:
    """Runs all batches through ``validation_step`` or ``test_step``, without gradients.

    Args:
        book: which of the journal's results the values are of.
        verbose: whether to print a table of the metrics.
    Returns:
        What was logged, a dict for each loader.
    """
    call, model = trainer.calls, trainer.lightning_module
    name = "test" if feed.stage == "test" else "validation"
    with trainer.no_grad():
        if call.stands_in(f"on_{name}_end"):  # a resumed run has done all else
            trainer.journal.reopen(book)
            modes, outputs = ModuleMode(model), []
        else:
            feed.prepare()
            feed.restrict(trainer.num_sanity_val_steps if trainer.sanity_checking else None)
            if feed.size() == 0:
                call.resumed = None
                return []
            trainer.journal.use(book)
            if call.resumed is not None:  # it was broken off in the midst, and begins anew
                trainer.journal.reset_results()
                call.resumed = None
            modes = ModuleMode(model)
            call.step(f"on_{name}_model_eval")
            outputs = _run(trainer, feed, name)
        call(f"on_{name}_end")
        trainer.journal.reset_results()
        if overridden(f"on_{name}_model_train", model, LightningModule):
            call.step(f"on_{name}_model_train")
        else:
            modes.restore(model)
    if verbose:
        print_results(outputs, "test" if name == "test" else "validate")
    if trainer.val_check_time is not None:
        trainer.val_check_time.reset()
    return outputs


def _run(trainer: Trainer, feed: Feed, name: str) -> Outputs:
    call, journal = trainer.calls, trainer.journal
    trainer.check_dataloader_idx(feed, f"{name}_step")
    trainer.check_dataloader_idx(feed, f"on_{name}_batch_start", f"on_{name}_batch_end")
    call(f"on_{name}_start")
    call(f"on_{name}_epoch_start")
    feed.begin(trainer.current_epoch if trainer.fitting else None)
    outputs: Outputs = []
    previous = 0
    for batch, batch_idx, number, _ in feed.batches():
        if number != previous:
            outputs.append(_of_loader(trainer))
        previous = number
        batch = trainer.transfer(batch, number)
        which = (number,) if feed.several else ()
        journal.start_batch(batch, *which)
        call(f"on_{name}_batch_start", batch, batch_idx, *which)
        with trainer.precision_plugin.step_context():
            output = call.step(
                f"{name}_step", *trainer.step_arguments(f"{name}_step", batch, batch_idx, *which)
            )
        call(f"on_{name}_batch_end", output, batch, batch_idx, *which)
        journal.end_batch()
        if not trainer.sanity_checking:
            trainer.has_validated = True
            journal.write(journal.current()[1], step=feed.seen[number])
            feed.seen[number] += 1
    outputs.append(_of_loader(trainer))
    journal.leave_batches()
    assert journal.results is not None
    journal.results.dataloader_idx = None
    call(f"on_{name}_epoch_end")
    journal.end_epoch()
    last = {} if trainer.sanity_checking else journal.current()[1]
    together = {key: value for one in reversed(outputs) for key, value in one.items()}
    for one in outputs:
        one.update({key: float(value) for key, value in last.items()})
    if not trainer.sanity_checking:
        journal.write({**together, **last})
    return outputs


def _of_loader(trainer: Trainer) -> dict[str, Any]:
    """What was logged of the loader that is over."""
    trainer.journal.leave_batches()
    if trainer.sanity_checking:
        return {}
    trainer.journal.settle()
    return {name: float(value) for name, value in trainer.journal.current()[1].items()}


def print_results(results: Outputs, stage: str) -> None:
    """Prints metrics as a table with a row for each and a column for each loader."""
    plain = [
        {name.split("/dataloader_idx_")[0]: value for name, value in one.items()} for one in results
    ]
    names = sorted({name for one in plain for name in one})
    if not names:
        return
    headers = [f"{stage.capitalize()} metric", *(f"DataLoader {i}" for i in range(len(plain)))]
    rows = [
        [name, *(str(_plain(one[name])) if name in one else " " for one in plain)] for name in names
    ]
    width = shutil.get_terminal_size(fallback=(120, 30)).columns
    longest = max(len(cell) for cell in [*names, *headers])
    widest = int(min(max(longest, 25), width / 2))
    shown = max(int((width - widest) / widest), 1)
    for first in range(1, len(headers), shown):
        take = [0, *range(first, min(first + shown, len(headers)))]
        _print_table([headers[i] for i in take], [[row[i] for i in take] for row in rows], widest)


def _print_table(headers: list[str], rows: list[list[str]], width: int) -> None:
    try:
        from rich import get_console
        from rich.table import Column, Table
    except ModuleNotFoundError:
        line = "─" * (width + 2) * len(headers)
        cells = [[f"{cell:^{width}}" for cell in row] for row in [headers, *rows]]
        joined = ["  ".join(row).rstrip() for row in cells]
        print("\n".join([line, joined[0], line, *joined[1:], line]))
        return
    columns = [Column(one, justify="center", style="magenta", width=width) for one in headers]
    columns[0].style = "cyan"
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    get_console().print(table)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, rl.Tensor) else value
