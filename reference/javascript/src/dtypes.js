// The dtypes of chapter 40: name in headers, name in documents, size, kind, and how bits become numbers.

const TABLE = [ // in the order of WGT-017
  ["BOOL", "bool", 8, "boolean"],
  ["F4", "float4_e2m1fn", 4, "float"],
  ["F6_E2M3", "float6_e2m3fn", 6, "float"],
  ["F6_E3M2", "float6_e3m2fn", 6, "float"],
  ["U8", "uint8", 8, "integer"],
  ["I8", "int8", 8, "integer"],
  ["F8_E5M2", "float8_e5m2", 8, "float"],
  ["F8_E4M3", "float8_e4m3fn", 8, "float"],
  ["F8_E8M0", "float8_e8m0fnu", 8, "float"],
  ["F8_E4M3FNUZ", "float8_e4m3fnuz", 8, "float"],
  ["F8_E5M2FNUZ", "float8_e5m2fnuz", 8, "float"],
  ["I16", "int16", 16, "integer"],
  ["U16", "uint16", 16, "integer"],
  ["F16", "float16", 16, "float"],
  ["BF16", "bfloat16", 16, "float"],
  ["I32", "int32", 32, "integer"],
  ["U32", "uint32", 32, "integer"],
  ["F32", "float32", 32, "float"],
  ["C64", "complex64", 64, "complex"],
  ["F64", "float64", 64, "float"],
  ["I64", "int64", 64, "integer"],
  ["U64", "uint64", 64, "integer"],
];

const entries = TABLE.map(([code, name, bits, kind], order) => Object.freeze({ code, name, bits, kind, order }));
const byCode = new Map(entries.map((entry) => [entry.code, entry]));
const byName = new Map(entries.map((entry) => [entry.name, entry]));

/** The dtype of a name in a header; undefined where there is none. */
export const dtypeOfCode = (code) => byCode.get(code);

/** The dtype of a name in a document; undefined where there is none. */
export const dtypeOfName = (name) => byName.get(name);
