"""Carries ``rushlight run`` into every Python process that a script starts.

``rushlight run`` puts this folder first in ``PYTHONPATH``, and Python imports ``sitecustomize`` as
it starts: DataLoader workers that are spawned and scripts that are launched by scripts get the
import hook too. Nothing heavy is imported before a name of PyTorch's is asked for.
"""

import os
import sys
from importlib.machinery import PathFinder

NAMES = ("torch", "torchvision", "torchaudio", "torchtext", "lightning", "pytorch_lightning")


class Waiting:
    """Stands where the hook will, and installs it when it is first needed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in NAMES:
            return None
        hook = self.hook()
        return hook and hook.find_spec(name, path, target)

    def find_distributions(self, context):
        hook = self.hook() if context.name == "torch" else None
        return hook.find_distributions(context) if hook else ()

    def hook(self):
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        try:
            from rushlight.cli.hook import install
        except ImportError:
            return None  # another Python, which has no rushlight: leave it as it would be
        return install()


def give_way():
    """Runs the sitecustomize that would have been found without this folder, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        sys.modules["sitecustomize"] = module = module_from_spec(spec)
        spec.loader.exec_module(module)


sys.meta_path.insert(0, Waiting())
give_way()
