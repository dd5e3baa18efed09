"""Which operations of a graph reach outside of it: files, the network, Python, the screen. They are named, as nothing here runs them.

Operations that TensorFlow does not have are named, too: what those of somebody's library do, nobody can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from triptych.errors import shorten
from triptych.layouts.saved_model.nodes import Node, called, name_of, nodes
from triptych.layouts.tensorflow import wire
from triptych.model import Json

_KINDS: Mapping[str, str] = {
    "reads files": """
        ReadFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2
        FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader RecordInput LoadAndRemapMatrix GenerateVocabRemapping
        FixedUnigramCandidateSampler InitializeTableFromTextFile InitializeTableFromTextFileV2 TextLineDataset FixedLengthRecordDataset
        FixedLengthRecordDatasetV2 TFRecordDataset TFRecordDatasetV2 CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset
        ExperimentalLMDBDataset MatchingFilesDataset ExperimentalMatchingFilesDataset SqlDataset ExperimentalSqlDataset LoadDataset
        SnapshotDatasetReader SnapshotNestedDatasetReader ListSnapshotChunksDataset SnapshotChunkDataset DecodeProtoV2 EncodeProto
        Restore RestoreSlice RestoreV2 DTensorRestoreV2 ImmutableConst ReadVariableFromFile
    """,
    "writes files": """
        WriteFile Save SaveSlices SaveV2 MergeV2Checkpoints SaveDataset SaveDatasetV2 SnapshotDataset SnapshotDatasetV2 DistributedSave
        CacheDataset CacheDatasetV2 DatasetToTFRecord ExperimentalDatasetToTFRecord CreateSummaryFileWriter CreateSummaryDbWriter
        WriteSummary WriteScalarSummary WriteHistogramSummary WriteImageSummary WriteAudioSummary WriteGraphSummary WriteRawProtoSummary
        ImportEvent FlushSummaryWriter DumpTensor CalibrationStatisticsSaver DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount
        DebugNumericSummary DebugNumericSummaryV2
    """,
    "calls Python": "PyFunc PyFuncStateless EagerPyFunc",
    "prints": "Print PrintV2",
    "reaches other machines": """
        RpcClient RpcCall RpcServer RpcServerStart RpcServerRegister RpcGetValue RemoteCall RemoteFusedGraphExecute Rpc TryRpc Send Recv
        _Send _Recv _HostSend _HostRecv DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset
        RegisterDatasetV2 CollectiveReduce CollectiveReduceV2 CollectiveReduceV3 CollectiveGather CollectiveGatherV2 CollectiveBcastSend
        CollectiveBcastSendV2 CollectiveBcastRecv CollectiveBcastRecvV2 CollectiveInitializeCommunicator FileSystemSetConfiguration
        BigQueryReader GcsConfigureCredentials GcsConfigureBlockCache
    """,
    "runs a program of another compiler": "XlaLaunch XlaCallModule XlaCustomCall XlaCustomCallV2 TPUExecute TPUExecuteAndUpdateVariables",
    "stops the process": "Abort",
}
_WHAT = {op: what for what, ops in _KINDS.items() for op in ops.split()}
"""Operation -> what it does outside of the graph."""
_OF_SAVERS = frozenset({"Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2"})
"""What the graph's own way of saving and restoring its variables may do."""
_LISTED = 1000
"""Nodes that are listed one by one; the rest is counted."""
_KINDS_LISTED = 300
_OTHERS = "(others)"
"""What stands for operations beyond those that are listed."""
_STEPS = 6
"""Nodes between the one that is asked to save and those that do it."""


@cache
def known() -> frozenset[str]:
    """The names of all operations that TensorFlow has or had."""
    return frozenset(resources.files(__package__).joinpath("operations.txt").read_text("ascii").split())


@dataclass(slots=True)
class Survey:
    """What a look through a graph yields."""

    count: int = 0
    """Nodes, those of functions included."""
    functions: frozenset[str] = frozenset()
    nodes: dict[str, list[str]] = field(default_factory=dict)
    """Operation with an effect outside -> paths of its nodes, the first ones."""
    totals: Counter[str] = field(default_factory=Counter)
    """The same -> how many nodes of it there are."""
    constants: list[Node] = field(default_factory=list)
    _noted: int = 0

    def note(self, op: str, path: str) -> None:
        """Remember that the node at `path` has effects outside."""
        name = _shown(op, 100)
        if name not in self.totals and len(self.totals) >= _KINDS_LISTED:
            name = _OTHERS
        self.totals[name] += 1
        self._noted += 1
        if self._noted <= _LISTED:
            self.nodes.setdefault(name, []).append(_shown(path, 300))

    def data(self) -> list[Json]:
        """The operations as plain data."""
        return [{"op": op, "effect": effect_of(op), "count": self.totals[op], "nodes": self.nodes.get(op, [])} for op in sorted(self.totals)]


def effect_of(op: str) -> str:
    """What an operation does outside of the graph."""
    return _WHAT.get(op, "is no operation of TensorFlow")


def survey(graph: memoryview, saver: Any, place: str, *, constants: bool) -> Survey:
    """Look through all nodes of `graph`, the message, which the message `saver` belongs to.

    `saver` may be None. With `constants`, these are collected, too.
    """
    names = frozenset(name_of(one, place) for library in wire.parts(graph, 2, place) for one in wire.parts(library, 1, place))
    found = Survey(functions=names)
    savers: list[tuple[str, str, str]] = []
    for node in nodes(graph, place):
        found.count += 1
        if node.op == "Const":
            if constants:
                found.constants.append(node)
        elif node.op in _OF_SAVERS:
            savers.append((node.op, node.path, node.function or f"/{node.name}"))
        elif node.op in _WHAT or not (node.op in known() or node.op in names):
            # A function may be called as if it were an operation of its own.
            found.note(node.op, node.path)
    if savers:
        own = _of_saver(graph, saver, place)
        for op, path, home in savers:
            if home not in own:
                found.note(op, path)
    return found


def _of_saver(graph: memoryview, saver: Any, place: str) -> set[str]:
    """The nodes (after a slash) and functions by which the graph saves and restores its variables when it is asked to."""
    if saver is None:
        return set()
    homes: dict[str, list[Node]] = {}
    for node in nodes(graph, place):
        homes.setdefault(node.function or f"/{node.name}", []).append(node)
    new = {f"/{name.partition(':')[0]}" for name in (saver.save_tensor_name, saver.restore_op_name) if name}
    found = set(new)
    for _ in range(_STEPS):
        # What those found so far take their inputs from, and which functions they call; functions may call themselves.
        step: set[str] = set()
        for node in (one for home in new for one in homes.get(home, ())):
            message = node.parsed(place)
            step.update(called(message))
            if not node.function:
                step.update(f"/{name.lstrip('^').partition(':')[0]}" for name in message.input)
        new = step - found
        found |= new
    return found


def _shown(name: str, limit: int) -> str:
    return shorten(name, limit)[1:-1]


__all__ = ["Survey", "effect_of", "known", "survey"]
