"""Fuzzing of everything that reads bytes: targets, mutators that know the formats, corpora, and two engines that run them."""
