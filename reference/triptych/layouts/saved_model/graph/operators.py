"""What TensorFlow's operations call their results: functions name a result by it. A test compares the table with TensorFlow's own."""

from __future__ import annotations

from collections import defaultdict

_NAMED = {
    "z": "AddV2 Sub Mul RealDiv FloorDiv FloorMod TruncateMod Pow Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr Maximum Minimum "
    "Atan2 BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift SquaredDifference",
    "y": "Neg LogicalNot Cast Exp Expm1 Log Log1p Sqrt Rsqrt Square Abs Sign Floor Ceil Round Rint Reciprocal Sin Cos Tan Asin Acos Atan Sinh Cosh "
    "Tanh Asinh Acosh Atanh Erf Erfc Erfinv Lgamma Digamma Sigmoid IsNan IsInf IsFinite Invert Transpose ZerosLike OnesLike InvertPermutation ComplexAbs",
    "activations": "Relu Relu6 Elu Selu Softplus Softsign LeakyRelu",
    "softmax": "Softmax",
    "logsoftmax": "LogSoftmax",
    "": "NoOp Assert AssignVariableOp SaveV2 LookupTableImportV2 InitializeTableFromTextFileV2",
    "r0": "BroadcastArgs",
    "index": "Where",
    "out": "Cumsum Cumprod Complex",
    "values indices": "TopKV2",
    "band": "MatrixBandPart",
    "diagonal": "MatrixDiagPartV3",
    "product": "MatMul",
    "resource": "VarHandleOp",
    "value": "ReadVariableOp",
    "tensors": "RestoreV2",
    "handle": "TensorListReserve",
    "output_handle": "TensorListSetItem TensorListFromTensor",
    "item": "TensorListGetItem",
    "tensor": "TensorListStack",
    "table_handle": "HashTableV2",
    "values": "LookupTableFindV2",
    "size": "LookupTableSizeV2",
    "indices values shape": "StringSplitV2",
    "row_splits char_values": "UnicodeDecode",
    "ngrams ngrams_splits": "StringNGrams",
    "result": "RaggedTensorToTensor",
    "y idx": "Unique",
    "y batch_mean batch_variance reserve_space_1 reserve_space_2 reserve_space_3": "FusedBatchNormV3",
}
OUTPUTS: defaultdict[str, list[str]] = defaultdict(
    lambda: ["output"], {op: results.split(" ") for results, ops in _NAMED.items() for op in ops.split(" ")}
)
"""Operation -> its results; a single one may be a list of tensors."""
