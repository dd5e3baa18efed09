"""Mutators: each takes an input and gives one that is like it. Those that know a format put lengths, offsets and checksums right again."""
