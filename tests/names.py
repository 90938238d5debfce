"""Public names of PyTorch's that there are none of here, with the reasons why.

``python scripts/compatibility.py --names`` writes them into docs/compatibility.md; a test fails
when a name is missing without a reason, or is told as missing and is there.
"""

from __future__ import annotations

import fnmatch
import importlib
import inspect
from types import ModuleType
from typing import Any

SPACES = (
    "torch", "torch.Tensor", "torch.amp", "torch.autograd", "torch.autograd.forward_ad",
    "torch.autograd.functional", "torch.autograd.graph", "torch.autograd.profiler", "torch.cpu",
    "torch.distributions", "torch.distributions.constraints", "torch.distributions.transforms",
    "torch.fft", "torch.func", "torch.linalg", "torch.nn", "torch.nn.attention",
    "torch.nn.functional", "torch.nn.grad", "torch.nn.init", "torch.nn.parallel",
    "torch.nn.utils", "torch.nn.utils.parametrizations", "torch.nn.utils.parametrize",
    "torch.nn.utils.prune", "torch.nn.utils.rnn", "torch.nn.utils.stateless", "torch.optim",
    "torch.optim.lr_scheduler", "torch.optim.swa_utils", "torch.profiler", "torch.random",
    "torch.signal.windows", "torch.special", "torch.testing", "torch.utils",
    "torch.utils.benchmark", "torch.utils.checkpoint", "torch.utils.data", "torch.utils.dlpack",
    "torch.utils.hooks",
)  # fmt: skip

# The first pattern that fits a name, with its module, tells the reason.
REASONS: dict[str, str] = {
    "Sparse, jagged and quantised tensors": (
        "torch.*sparse* torch.Tensor.*sparse* torch.[cr]*_indices_copy torch.*col_indices_copy"
        " torch.Tensor.*_indices torch.Tensor.indices torch.Tensor.values torch.Tensor.*coalesce*"
        " torch.Tensor.dense_dim torch.*smm torch.*spmm torch.*saddmm torch.*sspaddmm torch.hspmm"
        " torch.dsmm torch.Tensor.smm torch.Tensor.sspaddmm torch.indices_copy torch.values_copy"
        " torch.optim.SparseAdam torch.Tensor.to_padded_tensor torch.*quantiz* torch.*quant"
        " torch.q_* torch.qint* torch.qscheme torch.Tensor.q_* torch.Tensor.qscheme *.dequantize"
        " *.int_repr"
        " torch.fbgemm_* torch.choose_qparams_optimized torch.*per_channel* torch.q[iu]int*"
        " torch.nn.qat torch.nn.*quantizable torch.ccol_indices_copy"
        " torch.nn.functional.s*_mm torch.nn.functional.grouped_mm"
        " torch.nn.functional.scaled_grouped_mm torch.nn.functional.ScalingType"
        " torch.nn.functional.SwizzleType"
    ),
    "Types that have no kernels here (8 and 32 bits of complex numbers, 8 bits of floats, wide"
    " unsigned integers, bits)": (
        "torch.float8_* torch.float4_* torch.complex32 torch.chalf torch.Tensor.chalf"
        " torch.uint[1-7]"
        " torch.int[1-7] torch.uint16 torch.uint32 torch.uint64 torch.bit torch.bits* *.hash_tensor"
    ),
    "Other devices, their libraries and their streams": (
        "torch.cudnn_* torch.miopen_* torch.mkldnn_* torch.is_vulkan_available"
        " torch.Tensor.is_vulkan"
        " torch.Tensor.is_ipu torch.Tensor.ipu torch.Tensor.is_maia torch.Tensor.*mtia"
        " torch.Tensor.xpu torch.Tensor.to_mkldnn torch.Tensor.record_stream torch.Stream*"
        " torch.Event torch.cpu.* torch.get_device_module torch.*_ipu_* torch.*_ipu* torch.*_xla_*"
        " torch.*_xla* torch.AcceleratorError torch.batch_norm_* torch.OutOfMemoryError"
        " torch.DeviceObjType torch.StreamObjType torch.utils.*privateuse1*"
        " torch.utils.backend_registration torch.nn.attention.*flash* torch.*Capsule"
        " torch.autograd.graph.*stream*"
    ),
    "Several processes or machines": (
        "torch.is_distributed torch.nn.parallel.* torch.*RRef*"
        " torch.AggregationType torch.SUM torch.AVG"
    ),
    "The inside of TorchScript, and symbolic shapes, whose places recorded programs and plain"
    " numbers take": (
        "torch.Sym* torch.sym_* torch.Script* torch.*Type torch.*Type? torch.AliasDb"
        " torch.Argument* torch.Block torch.CallStack torch.Code torch.Compil* torch.Complete*"
        " torch.Concrete* torch.DeepCopyMemoTable torch.De*StorageContext torch.Ser*StorageContext"
        " torch.DisableTorchFunction* torch.Dispatch* torch.ErrorReport torch.Exclude*"
        " torch.Execution* torch.FatalError torch.FileCheck torch.testing.FileCheck torch.Function*"
        " torch.Future torch.Gradient torch.Graph* torch.IODescriptor torch.JITException"
        " torch.LiteScriptModule torch.*Logger torch.Node torch.OperatorInfo torch.PyTorchFile*"
        " torch.StaticModule torch.Tag torch.TracingState torch.Type torch.Use torch.Value"
        " torch.import_ir* torch.merge_type* torch.parse_* torch.unify_type_list torch.fork"
        " torch.wait torch.cpp torch.BufferDict torch.ModuleDict torch.ParameterDict"
        " torch.init_num_threads torch.has_* torch.set_anomaly_enabled"
        " torch.is_anomaly*enabled torch.Benchmark* torch.*ThroughputBenchmark"
        " torch.utils.throughput_benchmark torch.utils.mobile_optimizer torch.func.functionalize"
        " torch.func.debug_unwrap torch.func.rearrange torch.nn.functional.boolean_dispatch"
        " torch.nn.functional.*torch_function* torch.nn.functional.Broadcasting*"
        " torch.nn.functional.assert_int_or_pair"
    ),
    "What PyTorch itself refuses or has replaced": (
        "torch.Tensor.eig torch.Tensor.symeig torch.Tensor.lstsq torch.Tensor.solve"
        " torch.Tensor.reinforce torch.Tensor.volatile torch.Tensor.resize torch.Tensor.resize_as"
        " torch.*Storage torch.Tensor.storage torch.Tensor.storage_type torch.native_norm"
        " torch.autograd.NestedIOFunction torch.autograd.profiler.*nvprof*"
    ),
    "Inner parts of PyTorch that are public by accident, or tell of itself": (
        "torch.Tensor.index torch.Tensor.*slice_inverse torch.slice_inverse torch.Tensor.grad_dtype"
        " torch.Tensor.module_load torch.Tensor.const_data_ptr torch.Tensor.unsafe_split_with_sizes"
        " torch.nn.common_types torch.nn.modules torch.nn.functional.*_notes *.common_notes"
        " torch.nn.functional.GRID_SAMPLE_* torch.nn.functional.TYPE_CHECKING *.Tensor"
        " torch.autograd.grad_mode torch.autograd.profiler.EnforceUnique"
        " torch.autograd.profiler.KinetoStepTracker torch.autograd.profiler.MemRecordsAcc"
        " torch.autograd.enforce_grad_layout_policy torch.autograd.set_multithreading_enabled"
        " torch.autograd.graph.* torch.profiler.DeviceType torch.utils.backcompat"
        " torch.utils.c* torch.utils.file_baton torch.utils.get_cpp_backtrace"
        " torch.utils.set_module"
        " torch.utils.swap_tensors torch.utils.weak torch.utils.hooks.BackwardHook"
        " torch.optim.swap_in* torch.utils.checkpoint.* torch.utils.data.*DataPipe*"
        " torch.utils.data.DataChunk torch.utils.data.*datapipe* torch.utils.data.*validation*"
        " torch.utils.data.non_deterministic torch.*constrain_range* torch.norm_*"
        " torch.constrain* torch.testing.*"
    ),
    "Counts of instructions, random inputs and colours of `torch.utils.benchmark`": (
        "torch.utils.benchmark.*"
    ),
    "Forward-mode automatic differentiation by dual numbers; `func.jvp` computes the same": (
        "torch.autograd.forward_ad torch.autograd.forward_ad.*"
    ),
}


def missing() -> dict[str, list[str]]:
    """The names that there are none of, by module of PyTorch's."""
    found = {}
    for space in SPACES:
        theirs, ours = space_of(space), space_of("rushlight" + space[len("torch") :])
        if ours is None:
            found[space] = [space]
            continue
        names = [name for name in public(theirs, space) if not hasattr(ours, name)]
        if names:
            found[space] = [f"{space}.{name}" for name in names]
    return found


def space_of(name: str) -> Any:
    """A module, or the class Tensor; None where there is no such module."""
    if name.endswith(".Tensor"):
        return importlib.import_module(name.removesuffix(".Tensor")).Tensor
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def public(space: Any, name: str) -> list[str]:
    """The public names of a module: its ``__all__``, or what is not another library's."""
    given = getattr(space, "__all__", None)
    found = []
    for each in given if given is not None else dir(space):
        value = inspect.getattr_static(space, each, None)
        if each.startswith("_") or (isinstance(value, ModuleType) and not _inside(value, name)):
            continue
        home = getattr(value, "__module__", None)
        if given is None and isinstance(home, str) and not home.startswith("torch"):
            continue
        found.append(each)
    return sorted(set(found))


def _inside(module: ModuleType, name: str) -> bool:
    return module.__name__.startswith(name)


def reason(name: str) -> str | None:
    """Why there is no such name here; None if nobody has said."""
    for why, patterns in REASONS.items():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split()):
            return why
    return None


def page() -> str:
    """What the documentation tells: for each reason its names."""
    told: dict[str, list[str]] = {why: [] for why in REASONS}
    for names in missing().values():
        for name in names:
            told[reason(name) or "?"].append(name)
    return "\n\n".join(
        f"**{why}.** {', '.join(f'`{name}`' for name in sorted(names))}."
        for why, names in told.items()
        if names
    )
