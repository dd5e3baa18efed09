/** A float of a document; an integer is a number, or a bigint beyond 2^53. */
export class Float {
  constructor(value: number);
  readonly value: number;
}

/** A value of a document (chapter 10); objects have no prototype. */
export type Value = null | boolean | number | bigint | string | Float | Value[] | { [name: string]: Value };
export type Document = { [name: string]: Value };

/** Bytes that can be read in parts. */
export interface Blob {
  readonly size: number;
  slice(begin?: number, end?: number): Uint8Array;
}

export class Bytes implements Blob {
  constructor(bytes: Uint8Array);
  readonly size: number;
  slice(begin?: number, end?: number): Uint8Array;
}

/** Where a package comes from: an archive, or members by name. */
export type Source = { archive: Blob } | { members: Map<string, Blob>; problems?: Problem[] };

export interface Problem {
  /** Of spec/errors.toml. */
  readonly code: string;
  readonly requirement: string;
  readonly stage: "bytes" | "json" | "schema" | "semantic" | "resource";
  /** `MEMBER#POINTER`, as chapter 90 says. */
  readonly place: string;
  readonly message: string;
}

export class TriptychError extends Error {}
/** The bytes break the specification. */
export class InvalidModelError extends TriptychError {
  readonly problems: Problem[];
}
/** The bytes are fine, this reader is not able. */
export class UnsupportedError extends TriptychError {}
/** A file could not be opened or read. */
export class UnreadableError extends TriptychError {}
/** The caller passed something impossible. */
export class UsageError extends TriptychError {}

export interface StoredTensor {
  readonly name: string;
  /** By the names of chapter 40, such as `float32`. */
  readonly dtype: string;
  readonly shape: number[];
  readonly size: number;
  /** The bytes as stored: little-endian, row-major. */
  bytes(): Uint8Array;
}

export interface Parameters {
  readonly trainable: number;
  readonly nonTrainable: number;
}

/** An architecture with its types resolved. */
export interface ResolvedArchitecture {
  /** Undefined where a shape is not known. */
  parameters(stored?: Map<string, StoredTensor>): Parameters | undefined;
}

/** What a package holds; a section that it does not have is undefined. */
export class Model {
  manifest: Document | undefined;
  architecture: Document | undefined;
  layers: ResolvedArchitecture | undefined;
  weights: Map<string, StoredTensor> | undefined;
  training: Document | undefined;
  state: Map<string, StoredTensor> | undefined;
  assets: Map<string, Blob>;
}

export interface Hash {
  update(bytes: Uint8Array): Hash;
  /** The digest in hexadecimal. */
  hex(): string;
}

export interface ReadOptions {
  /** Names of extensions that the caller understands. */
  extensions?: string[];
  /** Limits of chapters 10 and 80 to raise, by the names of src/limits.js. */
  limits?: Record<string, number | bigint>;
  /** Makes a SHA-256; a plain JavaScript one where it is not said. */
  hash?: () => Hash;
}

export interface WriteOptions {
  spelling?: "json" | "yaml";
  /** The most bytes of tensors in one file; more are spread over shards. */
  maxShardBytes?: number;
  hash?: () => Hash;
}

/** Throws InvalidModelError, with every problem, where the package breaks the specification. */
export function readPackage(source: Source, options?: ReadOptions): Model;
/** The model, complete only where there are no problems. */
export function inspectPackage(source: Source, options?: ReadOptions): { model: Model; problems: Problem[] };
export function validatePackage(source: Source, options?: ReadOptions): Problem[];

export function folderSource(members: Iterable<[string, Uint8Array]>): Source;
export function archiveSource(bytes: Uint8Array): Source;

/** The members of a model's package, the manifest last. */
export function writeMembers(model: Model, options?: WriteOptions): Map<string, Uint8Array>;
export function writeArchive(members: Map<string, Uint8Array>): Uint8Array;

/** A value from plain JavaScript: a number with a fraction becomes a Float. */
export function fromPlain(value: unknown): Value;
/** A value as plain JavaScript: floats become numbers. */
export function toPlain(value: Value): unknown;

/** An array in memory, row-major: 64-bit integers are bigints, texts strings, all other elements numbers. */
export class Tensor {
  constructor(dtype: string, shape: number[], data?: Float64Array | BigInt64Array | BigUint64Array | string[]);
  dtype: string;
  shape: number[];
  data: Float64Array | BigInt64Array | BigUint64Array | string[];
  readonly rank: number;
  readonly size: number;
}

/** The array of stored bytes, little-endian. */
export function fromBytes(dtype: string, shape: number[], bytes: Uint8Array): Tensor;
export function toBytes(tensor: Tensor): Uint8Array;

/** What a model yields, by the names of its outputs, for an array for each of its inputs. */
export function evaluateModel(model: Model, inputs: Record<string, Tensor>): Record<string, Tensor>;

/** The weights after the optimizer has taken one step for each row of the gradients (name -> [steps, ...]); each of `values` ends an epoch. */
export function updateWeights(model: Model, gradients: Record<string, Tensor>, values?: number[]): Record<string, Tensor>;

/** What each weight is called in files of one Keras; a form is absent where it does not have the weight. */
export type FormNames = Map<"objects" | "hdf5" | "paths", string>;

/** Tensor -> what its weight is called in files of Keras and TensorFlow (chapter 45). */
export function namesElsewhere(model: Model): Map<string, Map<"keras2" | "keras3", FormNames>>;
