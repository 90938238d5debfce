"""The task learns: a short run is already much better than chance."""

from NAME.data import Data
from NAME.task import Task

import rushlight as rl
from rushlight.train.lightning import Trainer


def test_the_task_learns(tmp_path):
    rl.manual_seed(0)
    trainer = Trainer(
        max_epochs=5, logger=False, enable_checkpointing=False, default_root_dir=tmp_path
    )
    task, data = Task(), Data()
    trainer.fit(task, data)
    (told,) = trainer.test(task, data)
    assert told["test_accuracy"] > 0.8
