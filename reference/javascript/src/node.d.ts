import type { Hash, Model, Problem, ReadOptions, Source, WriteOptions } from "./index.js";

/** SHA-256 of Node.js, much faster than the plain one. */
export function hash(): Hash;

/** Opens a folder or an archive; call `close` when its bytes are not needed any more. */
export function openPackage(path: string): { source: Source; close(): void };

/** Calls `work` with the model at a path; its tensors can be read until `work` returns. */
export function withModel<T>(path: string, work: (model: Model) => T, options?: ReadOptions): T;

/** The problems of the package at a path. */
export function validate(path: string, options?: ReadOptions): Problem[];

/** Saves a model whole or not at all; an archive may replace a file, a folder replaces nothing. */
export function saveModel(path: string, model: Model, options?: WriteOptions & { form?: "directory" | "archive" }): void;
