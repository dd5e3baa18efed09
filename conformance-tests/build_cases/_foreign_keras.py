"""Cases of the layouts of Keras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import EIGHTHS, FILES, Frozen, Place, case, joined, loads, not_written, read, refused, tree, written
from kit import Case


def cases() -> Iterable[Case]:
    yield from keras_hdf5()


def keras_hdf5() -> Iterable[Case]:
    here = Place("keras-hdf5", "model.h5")
    tf_keras = replace(here, generation="keras2", reader="h5py")
    graph = Frozen("hdf5-keras2-graph", models.GRAPH, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    yield read("cnv-001-hdf5-keras2-graph", "A model of tf-keras with a layer called twice and a model inside", of=graph, place=here)
    yield written("cnv-021-keras2-graph", "A graph becomes the datasets and lists that tf-keras writes", of=graph, seen=tree(graph.facts["seen"]), place=tf_keras, cites=["CNV-021"])
    yield loads("cnv-011-hdf5-keras2-graph", "tf-keras loads the graph, compiled, with the optimizer where it was", of=graph, place=replace(tf_keras, reader="tf-keras"))
    small, good = Frozen("hdf5-small", models.SMALL), "cnv-006-hdf5-whole"
    yield read(good, "An HDF5 file of one layer", of=small, place=here, cites=["CNV-006", "CNV-007", "CNV-020", "SEC-005"])
    (content,) = FILES["hdf5-small"].values()
    for name, title, files, cites in (
        ("cnv-006-hdf5-cut-off", "An HDF5 file ends before its data", {"foreign/model.h5": content[: len(content) // 2]}, "CNV-006"),
        ("cnv-006-hdf5-no-list", "An HDF5 file lists no layers", Frozen("hdf5-no-list").files, "CNV-006"),
        ("cnv-007-hdf5-shape", "A kernel in HDF5 has fewer rows than its layer has inputs", Frozen("hdf5-other-shape").files, "CNV-007"),
        ("cnv-007-hdf5-count", "A list in HDF5 leaves out a bias that its layer has", Frozen("hdf5-one-weight-short").files, "CNV-007"),
        ("sec-005-hdf5-elsewhere", "A dataset has its bytes in a file elsewhere on the machine", Frozen("hdf5-elsewhere").files, "SEC-005"),
    ):
        yield refused(name, title, files=files, twin=good, place=here, cites=[cites], stage="bytes" if "cut" in name else "semantic")
    yield read("cnv-020-stored-otherwise", "Datasets in chunks, compressed, and the most significant byte first", of=Frozen("hdf5-stored-otherwise", models.SMALL), place=here,
               cites=["CNV-020"])
    yield read("cnv-020-lists-in-parts", "Lists of names are split into numbered parts", of=Frozen("hdf5-lists-in-parts", models.SEQUENCE), place=here, cites=["CNV-020"])
    alone, twin = Frozen("hdf5-weights-alone", models.SEQUENCE), "cnv-005-hdf5-weights-alone"
    other = {**models.SEQUENCE, "layers": [*models.SEQUENCE["layers"][:-1], models.dense("out", 3, activation="softmax")]}
    yield joined(twin, "Weights alone in HDF5 join an architecture", of=alone, place=here, cites=["CNV-007"])
    yield refused("cnv-007-hdf5-alone", "Weights alone in HDF5 beside an architecture with one unit more", twin=twin, place=here, cites=["CNV-007", "CNV-005"],
                  files={**alone.files, "architecture.json": kit.document(other)})
    code = Frozen("hdf5-code", {})
    seen = {name: value for name, value in code.observed.items() if name not in {"architecture", "defaults"}}
    yield case("cnv-008-hdf5-code", "A layer is code, which is not kept", cites=["CNV-008", "SEC-005", "CNV-001"], files=code.files, op="import", accepted=seen, place=replace(here, loses=True))
    yield written("cnv-012-hdf5-float32", "A model of one layer becomes HDF5", of=small, seen=tree(small.facts["seen"]), place=tf_keras, cites=["CNV-012", "CNV-021"])
    yield not_written("cnv-012-hdf5-float8", "HDF5 of Keras has no numbers of eight bits", files=EIGHTHS, twin="cnv-012-hdf5-float32", place=replace(here, generation="keras2"))
