"""Programs under ``torch.jit``'s names: ``trace``, ``script``, ``save``, ``load``.

There is no TorchScript here. What is traced is recorded as :mod:`rushlight.export` has it; what is
scripted runs as the Python that it is, and is recorded when it is saved.
"""

from typing import Final

from rushlight.export.trace import TracerWarning

from .file import load, save
from .freezing import freeze, optimize_for_inference, run_frozen_optimizations
from .function import ScriptFunction
from .future import Future, fork, wait
from .marks import (
    Attribute,
    annotate,
    export,
    ignore,
    interface,
    is_scripting,
    isinstance,
    script_if_tracing,
    script_method,
    unused,
)  # fmt: skip
from .module import RecursiveScriptModule, ScriptModule, TopLevelTracedModule, TracedModule
from .script import ScriptWarning, script
from .switches import (
    enable_onednn_fusion,
    onednn_fusion_enabled,
    optimized_execution,
    set_fusion_strategy,
    strict_fusion,
)  # fmt: skip
from .trace import TracingCheckError, is_tracing, trace, trace_module

Error = RuntimeError
"""What a program raises."""

__all__ = [
    "Attribute", "Error", "Final", "Future", "RecursiveScriptModule", "ScriptFunction",
    "ScriptModule", "ScriptWarning", "TopLevelTracedModule", "TracedModule", "TracerWarning",
    "TracingCheckError", "annotate", "enable_onednn_fusion", "export", "fork", "freeze", "ignore",
    "interface", "is_scripting", "is_tracing", "isinstance", "load", "onednn_fusion_enabled",
    "optimize_for_inference", "optimized_execution", "run_frozen_optimizations", "save", "script",
    "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace",
    "trace_module", "unused", "wait",
]  # fmt: skip
