// What a reader is willing to spend (chapters 10 and 80); a caller may raise each.

export const LIMITS = Object.freeze({
  documentBytes: 67_108_864,
  trainingBytes: 16_777_216,
  yamlBytes: 4_194_304,
  documentValues: 4_000_000,
  stringBytes: 1_048_576,
  nameBytes: 1_024,
  members: 10_000,
  headerBytes: 33_554_432,
  tensors: 200_000,
  shards: 4_096,
  axes: 32,
  extent: 9_007_199_254_740_991,
  elements: 1_152_921_504_606_846_976n,
  metadataEntries: 1_024,
  metadataBytes: 1_048_576,
});

/** Depth of nesting and length of a number are rules of the format (DOC-009, DOC-008), not limits of a reader. */
export const DEPTH = 128;
export const NUMBER_CHARACTERS = 64;
